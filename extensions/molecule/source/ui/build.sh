#!/bin/sh
# Builds the smallest UI: a page and the asset that it names.
set -eu
mkdir -p build/assets
echo 'document.title = "Small";' >build/assets/index-1a2b3c4d.js
echo '<!doctype html><script src="/assets/index-1a2b3c4d.js"></script><p>Small UI' >build/index.html
