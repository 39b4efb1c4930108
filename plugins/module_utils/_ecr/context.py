# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a build context as Docker would send it: what ``.dockerignore`` leaves, in an order of its own."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Rule:
    """One line of a ``.dockerignore``. A rule that matches a directory matches all that is in it."""

    pattern: re.Pattern[str]
    exception: bool


@dataclass(frozen=True)
class Entry:
    """A file or a symbolic link of the context. ``path`` is relative, with slashes; ``size`` is in bytes."""

    path: str
    kind: str
    digest: str
    size: int


@dataclass(frozen=True)
class Context:
    """What a build is made of. ``sha256`` is its name: the same wherever and whenever it is computed.

    With ``git``, what Git keeps of a clone is part of it, and then each clone has another name.
    """

    sha256: str
    files: int
    size: int
    git: bool

    @property
    def tag(self) -> str:
        """A tag for the image of this content."""
        return f"sha-{self.sha256[:12]}"


def ignore_rules(lines: t.Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules of the lines of a ``.dockerignore``; comments and empty lines are none."""
    stripped = (line.strip() for line in lines if not line.startswith("#"))
    return tuple(_rule(line) for line in stripped if line and line not in ("!", "/", "!/"))


def is_ignored(path: str, rules: t.Sequence[Rule]) -> bool:
    """Tell whether the last rule that matches the path, or a directory that it is in, takes it out."""
    parts = path.split("/")
    prefixes = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    ignored = False
    for rule in rules:
        if rule.exception == ignored and any(rule.pattern.fullmatch(prefix) for prefix in prefixes):
            ignored = not rule.exception
    return ignored


def read_context(
    root: Path,
    *,
    dockerfile: Path | None = None,
    ignore: t.Sequence[str] = (),
    build_args: t.Mapping[str, t.Any] | None = None,
    platform: str = "",
) -> Context:
    """Return the content of a context, its Dockerfile and what else decides about the image.

    ``ignore`` are lines that come after those of the context's ``.dockerignore``. Raises AntennaError.
    """
    try:
        entries, recipe = _read(root, dockerfile, ignore)
    except OSError as error:
        raise AntennaError(
            f"Could not read {str(error.filename or root)!r} of the build context: {error.strerror}. "
            "Let this user read it, or list it in .dockerignore where the image does not need it."
        ) from error
    whole = hashlib.sha256()
    for entry in entries:
        _feed(whole, entry.kind, entry.path, entry.digest)
    if recipe is not None:
        _feed(whole, "dockerfile", recipe)
    for name, value in sorted((build_args or {}).items()):
        _feed(whole, "arg", name, str(value))
    _feed(whole, "platform", platform)
    git = any(entry.path.split("/")[0] == ".git" for entry in entries)
    return Context(whole.hexdigest(), len(entries), sum(entry.size for entry in entries), git)


def _read(root: Path, dockerfile: Path | None, ignore: t.Sequence[str]) -> tuple[list[Entry], str | None]:
    """The entries in their order, and the digest of the Dockerfile."""
    if not root.is_dir():
        raise AntennaError(f"The build context {str(root)!r} is not a directory. Check the source and the context.")
    if dockerfile is not None and not dockerfile.is_file():
        raise AntennaError(f"There is no Dockerfile {str(dockerfile)!r}. Check the source and the path.")
    rules = ignore_rules([*_ignore_lines(root, dockerfile), *ignore])
    entries = sorted(_entries(root, "", rules), key=lambda entry: entry.path)
    return entries, None if dockerfile is None else _file_digest(dockerfile)


def _ignore_lines(root: Path, dockerfile: Path | None) -> list[str]:
    """A Dockerfile's own ignore file goes before the context's, as with BuildKit."""
    own = [dockerfile.with_name(f"{dockerfile.name}.dockerignore")] if dockerfile is not None else []
    for candidate in [*own, root / ".dockerignore"]:
        if candidate.is_file():
            # Patterns are of names, which may be in any encoding; so may comments.
            return candidate.read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines()
    return []


def _rule(line: str) -> Rule:
    exception = line.startswith("!")
    pattern = line[1:].strip() if exception else line
    cleaned = os.path.normpath(pattern).replace(os.sep, "/").lstrip("/")
    try:
        return Rule(re.compile(_expression(cleaned), re.S), exception)
    except re.error as error:
        raise AntennaError(
            f"{line!r} is no pattern of a .dockerignore: {error}. Correct it there, or in what adds to it."
        ) from error


def _expression(pattern: str) -> str:
    """Go's filepath.Match, and ``**`` for any number of directories."""
    expression = ""
    position = 0
    while position < len(pattern):
        rest = pattern[position:]
        piece, length = _piece(rest)
        expression += piece
        position += length
    return expression


def _piece(rest: str) -> tuple[str, int]:
    if rest.startswith("**/"):
        return r"(?:.*/)?", 3
    if rest.startswith("**"):
        return r".*", 2
    if rest[0] == "*":
        return r"[^/]*", 1
    if rest[0] == "?":
        return r"[^/]", 1
    if rest[0] == "\\" and len(rest) > 1:
        return re.escape(rest[1]), 2
    end = rest.find("]", 1) if rest[0] == "[" else -1
    if end > 0:
        return "[" + rest[1:end].replace("[", r"\[") + "]", end + 1
    return re.escape(rest[0]), 1


def _entries(root: Path, below: str, rules: t.Sequence[Rule]) -> t.Iterator[Entry]:
    exceptions = any(rule.exception for rule in rules)
    for item in _listed(root / below, ignored=bool(below) and is_ignored(below, rules)):
        path = f"{below}/{item.name}" if below else item.name
        ignored = is_ignored(path, rules)
        if item.is_dir(follow_symlinks=False):
            # An exception may bring back what lies in a directory that is taken out.
            if not ignored or exceptions:
                yield from _entries(root, path, rules)
        elif not ignored:
            yield from _entry(Path(item.path), path)


def _listed(directory: Path, ignored: bool) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as found:
            return list(found)
    except PermissionError:
        # From what nobody can read nothing is brought back.
        if ignored:
            return []
        raise


def _entry(file: Path, path: str) -> t.Iterator[Entry]:
    state = file.lstat()
    if stat.S_ISLNK(state.st_mode):
        yield Entry(path, "link", str(file.readlink()), 0)
    elif stat.S_ISREG(state.st_mode):
        kind = "program" if state.st_mode & stat.S_IXUSR else "file"
        yield Entry(path, kind, _file_digest(file), state.st_size)


def _file_digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _feed(whole: t.Any, *fields: str) -> None:
    for field in fields:
        data = field.encode("utf-8", "surrogateescape")
        whole.update(len(data).to_bytes(8, "big"))
        whole.update(data)
