# Resolves the ranges of pyproject.toml into requirements/run.txt, dev.txt, measure.txt, site.txt and bench.txt, for every
# supported Python and platform at once, with hashes and without the name of a registry.
#
# PyTorch is left out of dev.txt and bench.txt, and with it the CUDA libraries, some gigabytes, that it asks for on Linux: of its
# build without them other registries have other files. The Makefile installs it by its version.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$1" -m venv "$tmp/uv"
"$tmp/uv/bin/pip" install --quiet uv
compile="$tmp/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --upgrade"
extras="--extra node --extra openvino --extra micro --extra c --extra safetensors --extra torch"
without_torch() { awk '/^[a-z]/ { kept = !/^(torch|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)==/ } kept' "$1"; }
$compile pyproject.toml --extra node --output-file "$tmp/run.txt"
$compile pyproject.toml $extras --group dev --constraints "$tmp/run.txt" --output-file "$tmp/dev_all.txt"
without_torch "$tmp/dev_all.txt" > "$tmp/dev.txt"
$compile pyproject.toml --extra node --group dev --group measure --constraints "$tmp/dev.txt" --output-file "$tmp/measure.txt"
$compile --group pyproject.toml:site --python-version 3.11 --constraints "$tmp/dev.txt" --output-file "$tmp/site.txt"
$compile pyproject.toml $extras --extra bench --group dev --constraints "$tmp/dev.txt" --output-file "$tmp/bench_all.txt"
without_torch "$tmp/bench_all.txt" > "$tmp/bench.txt"
if grep -n '://' "$tmp/run.txt" "$tmp/dev.txt" "$tmp/measure.txt" "$tmp/site.txt" "$tmp/bench.txt"; then
    echo "a lock file names a host; nothing was written" >&2
    exit 1
fi
mv "$tmp/run.txt" "$tmp/dev.txt" "$tmp/measure.txt" "$tmp/site.txt" "$tmp/bench.txt" requirements/
