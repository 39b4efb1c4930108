# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base images: pulled, or where no image registry can be reached, built from the distribution's own mirror."""

from __future__ import annotations

import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localcloud.engine import Engine, EngineError

Tell = Callable[[str], None]

PULL_TIMEOUT = 300.0
REGISTRY_TIMEOUT = 10.0
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PYTHON_SUITES = {"3.11": "bookworm", "3.13": "trixie"}
"""Which release of Debian has which Python as its own."""

_CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
_DEBIAN = re.compile(r"(?:docker\.io/)?(?:library/)?debian:(?P<suite>[a-z]+)(?:-\d+)?-slim")
_PYTHON = re.compile(r"(?:docker\.io/)?(?:library/)?python:(?P<minor>3\.\d+)(?:\.\d+)?-slim(?:-(?P<suite>[a-z]+))?")
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?P<image>\S+)(?:\s+AS\s+(?P<stage>\S+))?\s*$", re.IGNORECASE | re.MULTILINE)
_ARG = re.compile(r"^ARG\s+(?P<name>\w+)=(?P<value>\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"\$\{?(?P<name>\w+)(?::?-(?P<default>[^}]*))?\}?")
_SKIPPED = frozenset({".git", ".venv", "node_modules", "collections", ".localcloud", ".cache"})


class BaseImageError(Exception):
    """An image can neither be pulled nor built; the message says what can be done."""


@dataclass(frozen=True)
class Recipe:
    """How an image is built where it cannot be pulled: a Debian suite, with its Python or bare."""

    suite: str
    python: str | None = None

    @property
    def tag(self) -> str:
        """The name that all images of this recipe share."""
        return f"localcloud/base:{f'python{self.python}-' if self.python else ''}{self.suite}"


def recipe_for(reference: str) -> Recipe:
    """The recipe behind `debian:<suite>-slim` or `python:3.<minor>[.<patch>]-slim[-<suite>]`.

    :raises BaseImageError: For any other name, and for a Python that no Debian release has as its own.
    """
    if found := _DEBIAN.fullmatch(reference):
        return Recipe(found["suite"])
    found = _PYTHON.fullmatch(reference)
    if found is None:
        raise BaseImageError(
            f"{reference} cannot be pulled, and only debian:<suite>-slim and python:3.<minor>-slim[-<suite>] can be "
            "built"
        )
    minor = found["minor"]
    # The Python is what a name asks for first: another suite's is taken where the named one has none of its own.
    ours = PYTHON_SUITES.get(minor)
    if ours is None:
        known = ", ".join(f"python:{minor}-slim ({suite})" for minor, suite in PYTHON_SUITES.items())
        raise BaseImageError(f"{reference} cannot be pulled, and of its kind only these can be built: {known}")
    return Recipe(ours, minor)


def wanted_by(contexts: Sequence[Path]) -> list[str]:
    """The images that the Dockerfiles of these places start from, without their own stages, sorted.

    :raises BaseImageError: When a place has no Dockerfile.
    """
    wanted: set[str] = set()
    for context in contexts:
        dockerfiles = _dockerfiles(context)
        if not dockerfiles:
            raise BaseImageError(f"no Dockerfile at {context}")
        for dockerfile in dockerfiles:
            wanted.update(from_lines(dockerfile.read_text(errors="replace")))
    return sorted(wanted)


def from_lines(dockerfile: str) -> set[str]:
    """The images that a Dockerfile starts from; ARGs with a default are filled in."""
    text = re.sub(r"\\\n", " ", dockerfile)
    arguments = {match["name"]: match["value"].strip("\"'") for match in _ARG.finditer(text)}
    images: set[str] = set()
    stages: set[str] = set()
    for match in _FROM.finditer(text):
        image = _fill_in(match["image"], arguments)
        if image and image != "scratch" and image.lower() not in stages:
            images.add(image)
        if match["stage"]:
            stages.add(match["stage"].lower())
    return images


def provide(engine: Engine, references: Iterable[str], tell: Tell) -> Sequence[BaseImageError]:
    """Have the images on this machine; return why for each that can neither be pulled nor built."""
    missing = [reference for reference in references if not engine.image_exists(reference)]
    registries = _Registries(engine)
    refused = []
    for reference in missing:
        if registries.pull(reference):
            tell(f"Pulled {reference}")
            continue
        try:
            recipe = recipe_for(reference)
            if not engine.image_exists(recipe.tag):
                tell(f"{reference} cannot be pulled: building it from Debian {recipe.suite}")
                _build(engine, recipe, tell)
        except BaseImageError as error:
            refused.append(error)
            continue
        engine.tag(recipe.tag, reference)
        tell(f"Provided {reference}{_difference(reference, recipe)}")
    return refused


def _difference(reference: str, recipe: Recipe) -> str:
    """What a person should know when it is not quite what the name says."""
    found = _PYTHON.fullmatch(reference)
    suite = found["suite"] if found else None
    return f" (Python {recipe.python} on {recipe.suite}, not {suite})" if suite not in (None, recipe.suite) else ""


class _Registries:
    """Pulls, and remembers for one run which registry cannot be reached: the next image fails at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unreachable: set[str] = set()

    def pull(self, reference: str) -> bool:
        registry = _registry_of(reference)
        if registry in self._unreachable:
            return False
        # The engine retries names that do not resolve for a long time, so a registry gets its time, no more.
        pool = concurrent.futures.ThreadPoolExecutor(1)
        attempt = pool.submit(self._engine.pull, reference)
        try:
            attempt.result(timeout=PULL_TIMEOUT if _answers(registry) else REGISTRY_TIMEOUT)
            return True
        except (EngineError, TimeoutError):
            self._unreachable.add(registry)
            return False
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _registry_of(reference: str) -> str:
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _answers(registry: str) -> bool:
    """Whether the registry answers this machine; the engine may have a proxy or mirror of its own all the same."""
    host = "registry-1.docker.io" if registry == "docker.io" else registry
    check = ["curl", "--silent", "--output", "/dev/null", "--max-time", "5", f"https://{host}/v2/"]
    return shutil.which("curl") is None or subprocess.run(check, check=False).returncode == 0


def _build(engine: Engine, recipe: Recipe, tell: Tell) -> None:
    bare = Recipe(recipe.suite)
    if not engine.image_exists(bare.tag):
        _bootstrap(engine, bare, tell)
    if recipe.python is not None:
        tell(f"Installing Python {recipe.python} of Debian {recipe.suite}")
        with tempfile.TemporaryDirectory(prefix="localcloud-") as directory:
            context = Path(directory)
            (context / "Dockerfile").write_text(python_dockerfile(bare.tag, recipe.python))
            engine.build(context, "Dockerfile", recipe.tag)


def python_dockerfile(base: str, minor: str) -> str:
    """Debian's Python in the manner of the official images: in /usr/local, with pip, ours to install into.

    Debian says dist-packages where the official images, and Dockerfiles made for them, say site-packages.
    """
    return f"""FROM {base}
RUN apt-get update \\
 && apt-get install -y --no-install-recommends python{minor} python{minor}-dev python{minor}-venv python3-pip \\
 && rm -rf /var/lib/apt/lists/* /usr/lib/python{minor}/EXTERNALLY-MANAGED \\
 && for name in python python3 python{minor}; do ln -s /usr/bin/python{minor} /usr/local/bin/$name; done \\
 && mkdir -p /usr/local/lib/python{minor}/dist-packages \\
 && ln -s dist-packages /usr/local/lib/python{minor}/site-packages \\
 && python -m pip install --no-cache-dir --ignore-installed pip setuptools wheel \\
 && apt-get purge -y --auto-remove python3-pip \\
 && python -m pip --version
ENV PYTHON_VERSION={minor}
CMD ["python3"]
"""


def _bootstrap(engine: Engine, recipe: Recipe, tell: Tell) -> None:
    for tool in ("debootstrap", "tar"):
        if shutil.which(tool) is None:
            raise BaseImageError(
                f"no image registry can be reached and {tool} is not installed: apt-get install {tool}"
            )
    if os.geteuid() != 0:
        raise BaseImageError(
            "no image registry can be reached, and building base images with debootstrap needs root: "
            "make a registry reachable, or run this once as root"
        )
    directory = Path(tempfile.mkdtemp(prefix="localcloud-base-"))
    try:
        root = directory / "root"
        _run(_debootstrap(recipe.suite, root), f"debootstrap of {recipe.suite}")
        _configure(root, recipe.suite)
        archive = directory / "root.tar"
        _run(["tar", "-C", str(root), "--one-file-system", "-cf", str(archive), "."], "packing the base image")
        engine.import_image(archive, recipe.tag, _changes())
        tell(f"Built Debian {recipe.suite}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _debootstrap(suite: str, root: Path) -> list[str]:
    mirror = mirror_of(_apt_sources())
    return ["debootstrap", "--variant=minbase", suite, str(root), *([mirror] if mirror else [])]


def _run(command: Sequence[str], what: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise BaseImageError(f"{what} failed: {done.stdout[-1500:].strip()}")


def _apt_sources() -> str:
    """The machine's apt sources, when it is Debian: others' mirrors do not hold Debian's suites."""
    release = Path("/etc/os-release")
    if not release.exists() or "\nID=debian" not in "\n" + release.read_text():
        return ""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    return "\n".join(place.read_text() for place in places if place.suffix in (".list", ".sources") and place.is_file())


def mirror_of(sources: str) -> str | None:
    """The first mirror of the distribution itself in apt sources of either format."""
    return _first_uri(sources, "/debian")


def security_mirror_of(sources: str) -> str | None:
    """The first mirror of its security updates."""
    return _first_uri(sources, "/debian-security")


def _first_uri(sources: str, end: str) -> str | None:
    for line in sources.splitlines():
        one_line = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(?P<uri>\S+)\s+\S+\s+(?:\S+\s+)*main\b", line)
        stanza = re.match(r"URIs:\s*(?P<uri>\S+)", line)
        found = one_line or stanza
        if found and urllib.parse.urlsplit(found["uri"]).path.rstrip("/").endswith(end):
            return found["uri"]
    return None


def _configure(root: Path, suite: str) -> None:
    """The machine's certificates, the suite's updates beside the suite itself, no leftovers of packages."""
    if Path(CA_BUNDLE).exists():
        target = root / CA_BUNDLE.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CA_BUNDLE, target)
        # ca-certificates, once installed, writes the bundle anew from these.
        extra = root / "usr/local/share/ca-certificates"
        extra.mkdir(parents=True, exist_ok=True)
        for number, certificate in enumerate(_local_certificates(Path(CA_BUNDLE).read_text())):
            (extra / f"machine-{number}.crt").write_text(certificate)
    _add_updates(root, suite)
    for config in sorted(Path("/etc/apt/apt.conf.d").glob("*")):
        if config.is_file() and "Proxy" in (text := config.read_text(errors="replace")):
            (root / "etc/apt/apt.conf.d" / config.name).write_text(text)
    if index := pip_index(os.environ):
        (root / "etc/pip.conf").write_text(f"[global]\nindex-url = {index}\n")
    for cached in (root / "var/cache/apt/archives").glob("*.deb"):
        cached.unlink()
    for listed in (root / "var/lib/apt/lists").glob("*_*"):
        listed.unlink()


def _add_updates(root: Path, suite: str) -> None:
    """Security and stable updates come from where the machine gets its own."""
    sources = root / "etc/apt/sources.list"
    machine = _apt_sources()
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    security = security_mirror_of(machine)
    mirror = mirror_of(machine)
    lines = [sources.read_text().strip()]
    if keyring.exists() and mirror:
        lines.append(f"deb {mirror} {suite}-updates main")
        if security:
            lines.append(f"deb {security} {suite}-security main")
    sources.write_text("\n".join(lines) + "\n")


def _local_certificates(bundle: str) -> list[str]:
    """The bundle's certificates that Debian's own package does not bring."""
    known = "".join(path.read_text() for path in Path("/usr/share/ca-certificates/mozilla").glob("*.crt"))
    compact = re.sub(r"\s", "", known)
    found = re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", bundle, re.DOTALL)
    return [item + "\n" for item in found if re.sub(r"\s", "", item) not in compact]


def _changes() -> tuple[str, ...]:
    variables = [f"ENV {name}={CA_BUNDLE}" for name in _CA_VARIABLES if Path(CA_BUNDLE).exists()]
    npm = os.environ.get("NPM_CONFIG_REGISTRY")
    if npm and _reachable_from_containers(npm):
        variables.append(f"ENV NPM_CONFIG_REGISTRY={npm}")
    return (
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "ENV LANG=C.UTF-8",
        *variables,
        'CMD ["bash"]',
    )


def pip_index(environment: Mapping[str, str]) -> str | None:
    """The machine's own package index, when containers can reach it."""
    index = environment.get("PIP_INDEX_URL")
    return index if index and _reachable_from_containers(index) else None


def _reachable_from_containers(url: str) -> bool:
    """Not a file and not this machine's loopback."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme in ("http", "https") and parts.hostname not in (None, "localhost", "127.0.0.1", "::1")


def _fill_in(image: str, arguments: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: arguments.get(match["name"], match["default"] or ""), image)


def _dockerfiles(context: Path) -> list[Path]:
    if context.is_file():
        return [context]
    found: list[Path] = []
    for directory, children, files in os.walk(context):
        children[:] = sorted(set(children) - _SKIPPED)
        found += [Path(directory) / name for name in sorted(files) if _is_dockerfile(name)]
    return found


def _is_dockerfile(name: str) -> bool:
    return name == "Dockerfile" or (name.startswith("Dockerfile.") and not name.endswith(".dockerignore"))
