#!/usr/bin/env bash
# Prove the lower bounds of pyproject.toml: each stated package in its lowest version, then a demo,
# a crop, its undo and a batch. Not part of the test run: it needs uv and a network.
#
#   tests/lowest_versions.sh PYTHON [FOLDER]      PYTHON: an interpreter, such as python3.13
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
folder=${2-$(mktemp -d)}
export UV_PYTHON_DOWNLOADS=never
uv venv --quiet --clear --python "$1" "$folder/venv"
uv pip install --quiet --python "$folder/venv/bin/python" --resolution lowest-direct \
  --only-binary :all: --no-binary cropkit "cropkit[lab,batch,desktop] @ $here"
export PATH="$folder/venv/bin:$PATH"
cd "$folder"
python --version
rm -rf demo
cropkit demo demo --count 3
first=$(find demo -name '*.png' | sort | head -1)
cropkit crop "$first" --box 10,10,300,300
cropkit fsck demo
cropkit batch demo -p source suggestions
cropkit undo demo --all
cropkit fsck demo
python -c 'import cropkit; cropkit.Review, cropkit.Batch'
echo "holds"
