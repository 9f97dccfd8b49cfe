# Resolves the ranges of pyproject.toml into requirements/run.txt and requirements/dev.txt, for every
# supported Python and platform at once, with hashes and without the name of a registry.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$1" -m venv "$tmp/uv"
"$tmp/uv/bin/pip" install --quiet uv
compile="$tmp/uv/bin/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --upgrade"
$compile pyproject.toml --extra node --output-file "$tmp/run.txt"
$compile pyproject.toml --extra node --group dev --constraints "$tmp/run.txt" --output-file "$tmp/dev.txt"
if grep -n '://' "$tmp/run.txt" "$tmp/dev.txt"; then
    echo "a lock file names a host; nothing was written" >&2
    exit 1
fi
mv "$tmp/run.txt" "$tmp/dev.txt" requirements/
