"""Sign up, and wait for the trunk. Python 3.9 or newer, nothing else.

    TRUNKHOOK_URL=https://... TRUNKHOOK_TOKEN=... TRUNKHOOK_SIGNING_SECRET=whsec_... python3 signup.py acme-42 "Acme Telecom"

The token asks how the signup stands. Where there is no signing secret it signs up, too.
"""

import base64, hashlib, hmac, http.client, json, os, sys, time
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import Request, urlopen

URL, TOKEN = os.environ["TRUNKHOOK_URL"].rstrip("/"), os.environ["TRUNKHOOK_TOKEN"]
SECRET = os.environ.get("TRUNKHOOK_SIGNING_SECRET")


def bearer():
    return {"Authorization": "Bearer " + TOKEN}


def signed(message_id, body):
    """The headers of Standard Webhooks: one id for each message, the time of each attempt."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    mac = hmac.digest(key, b".".join([message_id.encode(), timestamp.encode(), body]), hashlib.sha256)
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": "v1," + base64.b64encode(mac).decode()}


def send(url, body, headers):
    """Send until there is an answer that counts. A signup can be sent again: it gets one trunk."""
    for attempt in range(8):
        try:
            with urlopen(Request(url, body, {"Content-Type": "application/json", **headers()}), timeout=15) as answer:
                return answer.headers, json.load(answer)
        except HTTPError as refusal:
            if refusal.code < 500 and refusal.code != 429:
                sys.exit(f"{refusal.code} {refusal.read().decode()}")
            wait = refusal.headers["Retry-After"]
        except (OSError, http.client.HTTPException):  # the answer was lost, or no connection was made
            wait = None
        time.sleep(int(wait or 2**attempt))
    sys.exit(f"{url} does not answer")


signup_id, company = sys.argv[1:]
body = json.dumps({"signup_id": signup_id, "company": company}).encode()
headers, signup = send(URL + "/signups", body, lambda: signed("signup-" + signup_id, body) if SECRET else bearer())
location, wait = headers["Location"], int(headers["Retry-After"] or 2)
while signup["status"] == "pending":  # 202: it is on disk, and will be finished
    time.sleep(wait)
    _, signup = send(urljoin(URL, location), None, bearer)
print(json.dumps(signup))
