#!/usr/bin/env python3
"""A live AS2 peer made of pyas2lib, for the interop tests.

`serve` listens on 127.0.0.1, opens what is posted to it, keeps the payload and answers
with a synchronous MDN. `send` builds a message from a file, posts it and reads the MDN
that comes back. Both print one JSON object a line on stdout; talk goes to stderr.

Neither outlives its use: `serve` ends after --requests, after --seconds, or when its
stdin is closed, whichever comes first; `send` after --seconds.
"""

import argparse
import hashlib
import http.client
import http.server
import json
import logging
import os
import pathlib
import re
import sys
import threading
import time
import urllib.parse

from pyas2lib import Mdn, Message, Organization, Partner

# An order of a test is a few kilobytes; what is larger than this is a mistake.
MAX_BODY = 64 * 1024 * 1024
# A client that stops in the middle of a request holds the server no longer than this.
IDLE_SECONDS = 10


def say(**fields):
    print(json.dumps(fields), flush=True)


def text(value):
    return value.decode("ascii") if isinstance(value, bytes) else value


def unfolded(headers):
    return {name: re.sub(r"\r?\n[ \t]+", " ", value) for name, value in headers.items()}


def header_block(headers):
    """The HTTP headers as the MIME head that pyas2lib parses."""
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers) + b"\r\n"


def own_side(args):
    key = pathlib.Path(args.key).read_bytes()
    password = pathlib.Path(args.password_file).read_text().strip() if args.password_file else None
    return Organization(
        as2_name=args.name,
        sign_key=key,
        sign_key_pass=password,
        decrypt_key=key,
        decrypt_key_pass=password,
        domain="peer.example",
    )


def other_side(args, **policy):
    certificate = pathlib.Path(args.partner_cert).read_bytes()
    # The certificates of a test are pinned, not issued: there is no chain to validate.
    return Partner(
        as2_name=args.partner,
        verify_cert=certificate,
        encrypt_cert=certificate,
        validate_certs=False,
        **policy,
    )


def serve(args):
    me, other = own_side(args), other_side(args, sign=not args.plain, encrypt=not args.plain)
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    served = 0

    def answer(raw):
        """Opens a request, keeps what came and what goes back, and returns the MDN."""
        nonlocal served
        served += 1
        kept = {kind: out / f"{served}.{kind}" for kind in ("request", "payload", "mdn")}
        kept["request"].write_bytes(raw)
        message = Message()
        disposition, (error, _), mdn = message.parse(
            raw,
            find_org_cb=lambda name: me if name == me.as2_name else None,
            find_partner_cb=lambda name: other if name == other.as2_name else None,
        )
        payload = message.content if disposition == "processed" else b""
        kept["payload"].write_bytes(payload)
        if mdn:
            kept["mdn"].write_bytes(mdn.headers_str + b"\r\n" + mdn.content)
        fields = dict(
            disposition=disposition,
            detail=str(error) if error else None,
            message_id=message.message_id,
            signed=message.signed,
            digest=message.digest_alg,
            encrypted=message.encrypted,
            compressed=message.compressed,
            mic=text(message.mic),
            payload=str(kept["payload"]),
            payload_sha256=hashlib.sha256(payload).hexdigest(),
        )
        return mdn, fields

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def log_message(self, form, *values):
            print(f"peer: {form % values}", file=sys.stderr, flush=True)

        def do_POST(self):
            self.close_connection = True
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                return self.send_error(411, "a Content-Length is needed")
            if int(length) > MAX_BODY:
                return self.send_error(413, "larger than a test message")
            body = self.rfile.read(int(length))
            mdn, fields = answer(header_block(self.headers.items()) + body)
            reply = mdn.content if mdn else b""
            self.send_response(200)
            for name, value in unfolded(mdn.headers if mdn else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(reply)
            self.wfile.flush()
            say(**fields)

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=end_with_stdin, daemon=True).start()
    say(url=f"http://127.0.0.1:{server.server_address[1]}/")
    ends = time.monotonic() + args.seconds
    while served < args.requests and (left := ends - time.monotonic()) > 0:
        server.timeout = left
        server.handle_request()
    server.server_close()
    return 0 if served == args.requests else 1


def end_with_stdin():
    # Not sys.stdin: its lock, held by this thread, would abort an ordinary exit.
    while os.read(0, 4096):
        pass
    os._exit(0)


def send(args):
    me = own_side(args)
    digest = args.sign if args.sign != "none" else "sha256"
    other = other_side(
        args,
        sign=args.sign != "none",
        digest_alg=digest,
        encrypt=args.encrypt != "none",
        enc_alg=args.encrypt if args.encrypt != "none" else "aes_256_cbc",
        compress=args.compress,
        mdn_mode="SYNC",
        mdn_digest_alg=digest,
    )
    message = Message(me, other)
    path = pathlib.Path(args.file)
    message.build(path.read_bytes(), filename=path.name, content_type=args.content_type)

    url = urllib.parse.urlsplit(args.url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=args.seconds)
    connection.request("POST", url.path or "/", body=message.content, headers=unfolded(message.headers))
    response = connection.getresponse()
    raw = header_block(response.getheaders()) + response.read(MAX_BODY)
    connection.close()
    if args.mdn_out:
        pathlib.Path(args.mdn_out).write_bytes(raw)

    mdn = Mdn()
    disposition, detail = mdn.parse(
        raw,
        find_message_cb=lambda id, _: message if id == message.message_id else None,
    )
    returned = received_mic(mdn)
    say(
        status=response.status,
        disposition=disposition,
        detail=detail,
        message_id=message.message_id,
        mdn_digest=mdn.digest_alg,
        mic_sent=text(message.mic),
        mic_returned=returned,
    )
    equal = message.mic is None or returned == text(message.mic)
    accepted = response.status == 200 and disposition == "processed" and mdn.digest_alg and equal
    return 0 if accepted else 1


def received_mic(mdn):
    for part in mdn.payload.walk() if mdn.payload else ():
        if part.get_content_type() == "message/disposition-notification":
            value = part.get_payload()[-1].get("Received-Content-MIC")
            return value.split(",")[0].strip() if value else None
    return None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    modes = parser.add_subparsers(required=True)

    def mode(name, run):
        it = modes.add_parser(name)
        it.set_defaults(run=run)
        it.add_argument("--name", required=True, help="our own AS2 name")
        it.add_argument("--key", required=True, help="our key and certificate: PKCS#12, or PEM with both")
        it.add_argument("--password-file", help="the password of --key")
        it.add_argument("--partner", required=True, help="the other side's AS2 name")
        it.add_argument("--partner-cert", required=True, help="the other side's certificate, PEM")
        it.add_argument("--seconds", type=float, default=60, help="give up after this long")
        return it

    it = mode("serve", serve)
    it.add_argument("--out", required=True, help="the folder for requests, payloads and MDNs")
    it.add_argument("--requests", type=int, default=1, help="end after this many")
    it.add_argument("--plain", action="store_true", help="take messages that are not signed and encrypted")

    it = mode("send", send)
    it.add_argument("--url", required=True)
    it.add_argument("--file", required=True, help="the payload")
    it.add_argument("--content-type", default="application/edi-x12")
    it.add_argument("--sign", default="sha256", help="sha1, sha256, sha384, sha512 or none")
    it.add_argument("--encrypt", default="aes_256_cbc", help="aes_{128,192,256}_cbc, tripledes_192_cbc or none")
    it.add_argument("--compress", action="store_true")
    it.add_argument("--mdn-out", help="keep the answer's headers and body here")
    return parser.parse_args()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    chosen = arguments()
    sys.exit(chosen.run(chosen))
