#!/bin/sh
# A running Docker Engine with buildx. What is there is used; what is absent is installed from the
# distribution when we are root on Debian or Ubuntu; else one message says what to install.
set -eu

refuse() {
    printf '%s\n' "$1" "Needed: a running Docker Engine (20.10 or newer) with the buildx plugin, and the right to use it." \
        "As root on Debian or Ubuntu this command installs both; elsewhere install them and start the engine." >&2
    exit 1
}

# shellcheck source=/dev/null
distribution() { (. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}"); }

may_install() {
    [ "$(id -u)" = 0 ] || return 1
    case " $(distribution) " in *" debian "* | *" ubuntu "*) command -v apt-get >/dev/null ;; *) return 1 ;; esac
}

install_packages() {
    echo "==> Installing from the distribution: $*"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

answers() { docker info >/dev/null 2>&1; }

await_engine() {
    for _ in $(seq 60); do
        answers && return
        sleep 0.5
    done
    refuse "The Docker Engine was started but does not answer (log: /var/log/dockerd.log or the service's own)."
}

running() { grep -qsx "$1" /proc/[0-9]*/comm; }

# Without an init system nobody clears away what a killed engine left in /run, and the next one would trust it.
forget_dead_engine() {
    running dockerd || rm -f /run/docker.pid
    running containerd || rm -rf /run/docker/containerd /run/containerd/containerd.sock
}

start_engine() {
    echo "==> Starting the Docker Engine"
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        # The engine is ours to start: detached, so that it outlives this command.
        forget_dead_engine
        setsid dockerd >/var/log/dockerd.log 2>&1 </dev/null &
    fi
    await_engine
}

ensure_engine() {
    answers && return
    if ! command -v dockerd >/dev/null; then
        may_install || refuse "No Docker Engine answers here."
        # debootstrap makes base images where no image registry can be reached.
        install_packages docker.io debootstrap iptables ca-certificates
    fi
    [ "$(id -u)" = 0 ] || refuse "The Docker Engine does not answer to user $(id -un)."
    answers || start_engine
}

# Debian 12 has no buildx of its own; the next release's is one static program that runs there.
buildx_of_next_debian() {
    # shellcheck disable=SC2016  # $(SITE) is apt's own field
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep -m1 '/debian/\?$') || return 1
    work=$(mktemp -d)
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
    set -- -qq -o APT::Sandbox::User=root -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work"
    apt-get "$@" update && (cd "$work" && apt-get "$@" download docker-buildx) || return 1
    dpkg-deb -x "$work"/docker-buildx_*.deb "$work/tree"
    install -D "$(find "$work/tree" -path '*/cli-plugins/docker-buildx')" /usr/local/lib/docker/cli-plugins/docker-buildx
    rm -rf "$work"
}

ensure_buildx() {
    docker buildx version >/dev/null 2>&1 && return
    may_install || refuse "The Docker client has no buildx plugin."
    echo "==> Installing the buildx plugin"
    install_packages docker-buildx 2>/dev/null || buildx_of_next_debian || refuse "buildx could not be installed."
    docker buildx version >/dev/null || refuse "buildx was installed but does not run."
}

ensure_engine
ensure_buildx
