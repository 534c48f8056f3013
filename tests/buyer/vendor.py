#!/usr/bin/env python3
"""A vendor's system that shares no code with us: pyas2lib and plain strings.

    vendor.py TRANSLOAD FOLDER

It starts `TRANSLOAD sim amazon --listen`, takes the order that comes by AS2, acknowledges, ships and
invoices it, moves the clock to the day of payment, reads the remittance, and asks for the ledger.
"""

import http.client
import http.server
import json
import pathlib
import queue
import re
import subprocess
import sys
import threading
import urllib.parse
from datetime import datetime

from pyas2lib import Mdn, Message, Organization, Partner

PATIENCE = 60
ARRIVED = queue.Queue()


def unfolded(headers):
    return {name: re.sub(r"\r?\n[ \t]+", " ", value) for name, value in headers.items()}


def raw(headers, body):
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers) + b"\r\n" + body


def request(method, url, body=None, headers=None):
    at = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=PATIENCE)
    connection.request(method, at.path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.getheaders(), answer.read()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    me = buyer = None

    def log_message(self, form, *values):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message = Message()
        _, (error, _), mdn = message.parse(
            raw(self.headers.items(), body), find_org_cb=lambda _: self.me, find_partner_cb=lambda _: self.buyer
        )
        self.send_response(200)
        for name, value in unfolded(mdn.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(mdn.content)))
        self.end_headers()
        self.wfile.write(mdn.content)
        text = f"ST*{error}" if error else message.content.decode()
        ARRIVED.put([segment.strip().split("*") for segment in text.split("~")])


class Vendor:
    def __init__(self, me, buyer, url):
        self.me, self.buyer, self.url, self.number = me, buyer, url, 0

    def send(self, group, release, at, lines):
        """A set in an envelope of its own, sealed and posted; its receipt must be sound."""
        self.number += 1
        day, time, newer = f"{at:%Y%m%d}", f"{at:%H%M}", release == "005010"
        segments = [
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{'SIMVENDOR':15}*ZZ*{'SIMBUYER':15}*{day[2:]}*{time}"
            f"*{'^' if newer else 'U'}*{release[:5]}*{self.number:09}*0*T*>",
            f"GS*{group}*SIMVENDOR*SIMBUYER*{day}*{time}*{self.number}*X*{release}",
            *lines,
            f"SE*{len(lines) + 1}*0001",
            f"GE*1*{self.number}", f"IEA*1*{self.number:09}",
        ]
        message = Message(self.me, self.buyer)
        message.build(("~\n".join(segments) + "~\n").encode(), content_type="application/edi-x12")
        status, headers, body = request("POST", self.url, message.content, unfolded(message.headers))
        mdn = Mdn()
        said, detail = mdn.parse(raw(headers, body), find_message_cb=lambda *_: message)
        assert status == 200 and said == "processed", (status, said, detail, body)

    def next(self, wanted):
        """The next interchange with this set; every other one but a 997 is a surprise."""
        while True:
            came = ARRIVED.get(timeout=PATIENCE)
            sets = [one[1] for one in came if one[0] == "ST"]
            if "997" in sets:
                assert {one[1] for one in came if one[0] in ("AK5", "AK9")} == {"A"}, came
            if sets == [wanted]:
                return came
            assert sets == ["997"], came

    def acknowledge(self, came, at):
        group = next(one for one in came if one[0] == "GS")
        kind = next(one[1] for one in came if one[0] == "ST")
        body = [f"AK1*{group[1]}*{group[6]}", f"AK2*{kind}*0001", "AK5*A", "AK9*A*1*1*1"]
        self.send("FA", group[8], at, ["ST*997*0001", *body])


def sscc(n):
    body = f"00999999{n:09}"
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def papers(vendor, order, now, clock):
    """The acknowledgment, the ship notice and the invoice of an order: its number, its total in cents."""
    number, ordered = next((one[3], one[5]) for one in order if one[0] == "BEG")
    ship_to = next(one for one in order if one[:2] == ["N1", "ST"])[4]
    lines = [one for one in order if one[0] == "PO1"]
    at = now()
    body = [f"BAK*00*AD*{number}*{ordered}*****{at:%Y%m%d}"]
    for one in lines:
        body += ["*".join(one), f"ACK*IA*{one[2]}*{one[3]}"]
    vendor.send("PR", "004010", at, ["ST*855*0001", *body, f"CTT*{len(lines)}"])
    vendor.next("997")

    clock("+24h")
    at = now()
    body = [
        f"BSN*00*SN-{number}*{at:%Y%m%d}*{at:%H%M}*0001", "HL*1**S", f"TD1*CTN*{len(lines)}****G*40*LB",
        "TD5**2*SIMC*M", f"REF*BM*SIMVN{number}", f"REF*CN*PRO{number}", f"DTM*011*{at:%Y%m%d}*{at:%H%M}",
        f"DTM*017*{at:%Y%m%d}", "N1*SF*Plain Vendor*92*SIMVN", "N3*1 Plain Street", "N4*Columbus*OH*43085*US",
        f"N1*ST**92*{ship_to}", "HL*2*1*O", f"PRF*{number}***{ordered}",
    ]
    for n, one in enumerate(lines):
        pack = 3 + 2 * n
        body += [f"HL*{pack}*2*P", f"MAN*GM*{sscc(n + 1)}", f"HL*{pack + 1}*{pack}*I",
                 "*".join(["LIN", one[1], *one[6:]]), f"SN1**{one[2]}*{one[3]}"]
    vendor.send("SH", "005010", at, ["ST*856*0001", *body, f"CTT*{2 + 2 * len(lines)}"])
    vendor.next("997")

    clock("+3h")
    at = now()
    cents = sum(int(one[2]) * round(float(one[4]) * 100) for one in lines)
    body = [
        f"BIG*{at:%Y%m%d}*R-{number}*{ordered}*{number}", "CUR*SE*USD", "N1*RE*Plain Vendor*92*SIMVN",
        "N3*1 Plain Street", "N4*Columbus*OH*43085*US", "N1*BT*Simulated Buyer*92*SIMAP", "N3*2 Loopback Road",
        "N4*Seattle*WA*98109*US", "ITD*01*3*****60",
        *("*".join(["IT1", *one[1:]]) for one in lines), f"TDS*{cents}", f"CTT*{len(lines)}",
    ]
    vendor.send("IN", "004010", at, ["ST*810*0001", *body])
    vendor.next("997")
    return number, cents


def main(transload, folder):
    folder = pathlib.Path(folder)
    key, cert = folder / "vendor.key", folder / "vendor.pem"
    own = "req -x509 -newkey rsa:2048 -nodes -days 900 -subj /CN=vendor -keyout".split()
    subprocess.run(["openssl", *own, key, "-out", cert], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    command = [transload, "sim", "amazon", "--listen", "--json", "--orders", "1", "--port", "0", "--as2-port", "0",
               "--folder", folder / "simulator", "--vendor", f"http://127.0.0.1:{server.server_address[1]}/",
               "--certificate", cert]
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = json.loads(simulator.stdout.readline())
        pair, theirs = key.read_bytes() + cert.read_bytes(), pathlib.Path(said["certificate"]).read_bytes()
        Handler.me = Organization(as2_name="SIMVENDOR", sign_key=pair, decrypt_key=pair, domain="vendor.example")
        Handler.buyer = Partner(
            as2_name="SIMBUYER", verify_cert=theirs, encrypt_cert=theirs, validate_certs=False, sign=True,
            digest_alg="sha256", encrypt=True, enc_alg="aes_256_cbc", mdn_mode="SYNC", mdn_digest_alg="sha256",
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        control, vendor = said["control"], Vendor(Handler.me, Handler.buyer, said["as2"])

        def clock(step):
            assert request("POST", control, step)[0] == 200

        def now():
            return datetime.fromisoformat(json.loads(request("GET", control)[2])["now"][:19])

        order = vendor.next("850")
        vendor.acknowledge(order, now())
        number, cents = papers(vendor, order, now, clock)
        clock("+75d")
        advice = vendor.next("820")
        vendor.acknowledge(advice, now())
        paid = [one for one in advice if one[0] == "RMR"]
        ledger = json.loads(request("GET", control.replace("/clock", "/ledger"))[2])
        row = ledger["rows"][0]
        print(json.dumps({"order": number, "asked": cents, "paid": row["paid"], "state": row["state"]}))
        sound = row["state"] == "paid" and row["paid"] == cents and ledger["unexplained"] == 0
        named = [one[2] for one in paid] == [f"R-{number}"] and round(float(paid[0][4]) * 100) == cents
        return 0 if sound and named else 1
    finally:
        simulator.terminate()

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
