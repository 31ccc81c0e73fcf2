#!/bin/sh
# Installs the PostgreSQL and Redis server binaries that the tests start themselves, on
# Debian and Ubuntu. No cluster and no daemon is set up or started: the tests run their
# own instances on free ports in temporary folders. Does nothing where both are there.
set -eu

postgres_there() {
    [ -n "${BYLAW_POSTGRES_BIN:-}" ] && return 0
    command -v initdb >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1 && return 0
    for bin in /usr/lib/postgresql/*/bin/postgres; do
        [ -x "$bin" ] && return 0
    done
    return 1
}

redis_there() {
    command -v redis-server >/dev/null 2>&1 || command -v valkey-server >/dev/null 2>&1
}

wanted=""
postgres_there || wanted="$wanted postgresql"
redis_there || wanted="$wanted redis-server"
if [ -z "$wanted" ]; then
    echo "PostgreSQL and Redis binaries are there; nothing to install"
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "this script knows Debian and Ubuntu only; install by hand:$wanted" >&2
    exit 1
fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo="sudo"
    command -v sudo >/dev/null 2>&1 || {
        echo "run this as root, or install by hand:$wanted" >&2
        exit 1
    }
fi

# Debian's package would create and start a cluster on port 5432.
case "$wanted" in *postgresql*)
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $sudo mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" |
            $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    ;;
esac

# policy-rc.d answering 101 keeps package scripts from starting daemons (a Redis on 6379).
policy=/usr/sbin/policy-rc.d
made_policy=""
cleanup() { [ -z "$made_policy" ] || $sudo rm -f "$policy"; }
trap cleanup EXIT INT TERM
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
    made_policy=yes
fi

echo "installing:$wanted"
$sudo apt-get update -q
# shellcheck disable=SC2086 # the names are words of their own
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted
echo "installed:$wanted"
