#!/usr/bin/env bash
# Sign up, and wait for the trunk. bash, curl 7.71 or newer, openssl; no secret gets onto a command line.
#
#   TRUNKHOOK_URL=https://... TRUNKHOOK_TOKEN=... TRUNKHOOK_SIGNING_SECRET=whsec_... \
#     bash signup.sh '{"signup_id": "acme-42", "company": "Acme Telecom"}'
#
# With a number, and an address that may call:
#
#     bash signup.sh '{"signup_id": "acme-42", "company": "Acme Telecom", "phone_numbers": ["+912247788868"], "whitelisted_ips": ["9.9.9.9"]}'
#
# The token asks how the signup stands. Where there is no signing secret it signs up, too.
set -euo pipefail
export LC_ALL=C
body=$1 url=${TRUNKHOOK_URL%/} answer=$(mktemp -d)
trap 'rm -rf "$answer"' EXIT

bearer() { printf 'Authorization: Bearer %s\n' "$TRUNKHOOK_TOKEN"; } # printf is bash's own, so nobody sees its arguments

# pad prints the key (in hex, at most 64 bytes, filled up with zeros), each byte xored with $1.
pad() {
  local i byte bytes=
  for ((i = 0; i < 128; i += 2)); do
    printf -v byte '\\x%02x' $((0x${key:i:2} ^ $1))
    bytes+=$byte
  done
  printf "$bytes"
}
sha256() { openssl dgst -sha256 -binary; }

# signed prints the headers of Standard Webhooks: one id for each message, and the time.
signed() {
  local id timestamp key
  id=signup-$(cksum <<<"$body" | tr ' ' -) timestamp=$(date +%s)
  key=$(printf %s "${TRUNKHOOK_SIGNING_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  while ((${#key} < 128)); do key+=0; done
  printf 'webhook-id: %s\nwebhook-timestamp: %s\nwebhook-signature: v1,' "$id" "$timestamp"
  { pad 0x5c; { pad 0x36; printf %s "$id.$timestamp.$body"; } | sha256; } | sha256 | openssl base64 -A # HMAC
}

# send leaves the answer in $signup and $answer. curl sends again until there is one that counts, for less than the five
# minutes that a signature is good for. A signup can be sent again: it gets one trunk.
send() {
  local status
  status=$(curl -sS -o "$answer/body" -D "$answer/head" -w '%{http_code}' --max-time 15 \
    --retry 8 --retry-all-errors --retry-max-time 240 "$@")
  signup=$(<"$answer/body")
  [[ $status == 2* ]] || { printf '%s %s\n' "$status" "$signup" >&2; exit 1; }
}
header() { tr -d '\r' <"$answer/head" | grep -i "^$1: " | tail -n 1 | cut -d ' ' -f 2- || true; }

if [ -n "${TRUNKHOOK_SIGNING_SECRET:-}" ]; then proof=$(signed); else proof=$(bearer); fi
send -H @<(printf '%s\n' "$proof") -H 'Content-Type: application/json' --data-binary "$body" "$url/signups"
location=$(header Location) wait=$(header Retry-After)
if [[ $location == /* ]]; then location=$(cut -d / -f 1-3 <<<"$url")$location; fi
while [[ $signup == *'"status":"pending"'* ]]; do # 202: it is on disk, and will be finished
  sleep "${wait:-2}"
  send -H @<(bearer) "$location"
done
printf '%s\n' "$signup"
