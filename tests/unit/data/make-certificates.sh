#!/bin/sh
# SPDX-FileCopyrightText: 2026 The ivsstagesink authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes the certificates of the tests anew. They are worth nothing elsewhere: the
# keys are public. CA, a good server, one with another name, one that has expired.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key () { openssl ecparam -name prime256v1 -genkey -noout -out "$work/$1.key"; }
head () {
  printf '%s\n' \
    'SPDX-FileCopyrightText: 2026 The ivsstagesink authors' \
    'SPDX-License-Identifier: LGPL-2.1-or-later' \
    "Made by make-certificates.sh: $1"
}

key ca
openssl req -new -x509 -key "$work/ca.key" -subj '/CN=ivsstagesink test CA' \
  -days 36500 -out "$work/ca.crt"
{ head 'the CA of the tests'; cat "$work/ca.crt"; } > whip-ca.pem

# name, subject alternative names, first and last day
server () {
  key "$1"
  openssl req -new -key "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "$2" > "$work/$1.ext"
  mkdir -p "$work/$1.db" && : > "$work/$1.db/index" && echo 01 > "$work/$1.db/serial"
  cat > "$work/$1.cnf" <<END
[ca]
default_ca = here
[here]
database = $work/$1.db/index
serial = $work/$1.db/serial
new_certs_dir = $work/$1.db
default_md = sha256
policy = any
[any]
commonName = supplied
END
  openssl ca -batch -notext -config "$work/$1.cnf" -cert "$work/ca.crt" \
    -keyfile "$work/ca.key" -in "$work/$1.csr" -extfile "$work/$1.ext" \
    -startdate "$3" -enddate "$4" -out "$work/$1.crt" 2>/dev/null
  { head "$1, with its key"; cat "$work/$1.crt" "$work/$1.key"; } > "whip-$1.pem"
}
server server DNS:localhost,IP:127.0.0.1 20200101000000Z 21200101000000Z
server other-host DNS:other.example 20200101000000Z 21200101000000Z
server expired DNS:localhost,IP:127.0.0.1 20200101000000Z 20210101000000Z
