#!/usr/bin/env python3
"""pyas2lib as an AS2 peer, for the interop tests.

One command a line on stdin, one answer a line on stdout, in the language of Peer.java:
words with tabs between, `COMMAND NAME=VALUE …`, answered by `ok NAME=VALUE …` or
`error TEXT`. It ends with its stdin.

    seal     key= cert= to= in=ENTITY out=ENTITY layers=compress,sign,encrypt …
    open     key= cert= from= in=ENTITY out=PAYLOAD [receipt=FILE micalg=]
    receipt  from= in=MDN [mic=]             reads an MDN
    listen   key= cert= from= out=FOLDER …   url= of a server on 127.0.0.1
    came                                     what was posted to it next
    post     url= key= cert= to= name= partner= file= receipt=none|unsigned|signed [async=URL] …

`…` is how to protect: sign=sha256 scheme=pkcs1|pss cipher=aes-256-cbc transport=pkcs1|oaep.
"""

import copy
import hashlib
import http.client
import http.server
import logging
import pathlib
import queue
import re
import sys
import threading
import urllib.parse

import pyas2lib.as2
from pyas2lib import Mdn, Message, Organization, Partner
from pyas2lib.cms import encrypt_message

# An order of a test is a few kilobytes; what is larger than this is a mistake.
MAX_BODY = 64 * 1024 * 1024
# A client that stops in the middle of a request holds the server no longer than this.
IDLE_SECONDS = 10
# Something that never comes is not waited for longer than this.
PATIENCE_SECONDS = 60

CIPHERS = {
    "aes-128-cbc": "aes_128_cbc",
    "aes-192-cbc": "aes_192_cbc",
    "aes-256-cbc": "aes_256_cbc",
    "3des": "tripledes_192_cbc",
    "rc2-128-cbc": "rc2_128_cbc",
}

ARRIVALS, RECEIPTS = queue.Queue(), queue.Queue()


def text(value):
    return value.decode("ascii") if isinstance(value, bytes) else value


def unfolded(headers):
    return {name: re.sub(r"\r?\n[ \t]+", " ", value) for name, value in headers.items()}


def header_block(headers):
    """The HTTP headers as the MIME head that pyas2lib parses."""
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers) + b"\r\n"


def read(path):
    return pathlib.Path(path).read_bytes()


def own_side(said):
    pair = read(said["key"]) + read(said["cert"])
    return Organization(
        as2_name=said.get("name", "peer"),
        sign_key=pair,
        decrypt_key=pair,
        mdn_url=said.get("async"),
        domain="peer.example",
    )


def other_side(said, **more):
    layers = said.get("layers", "").split(",")
    pinned = read(said.get("from") or said["to"])
    transport = {"pkcs1": "rsaes_pkcs1v15", "oaep": "rsaes_oaep"}[said.get("transport", "pkcs1")]
    # It knows both, and its Message.build never says which.
    pyas2lib.as2.encrypt_message = lambda data, cipher, to: encrypt_message(data, cipher, to, transport)
    # The certificates of a test are pinned, not issued: there is no chain to validate.
    return Partner(
        as2_name=said.get("partner", "house"),
        verify_cert=pinned,
        encrypt_cert=read(said["to"]) if "to" in said else pinned,
        validate_certs=False,
        sign="sign" in layers,
        digest_alg=said.get("sign", "sha256"),
        sign_alg={"pkcs1": "rsassa_pkcs1v15", "pss": "rsassa_pss"}[said.get("scheme", "pkcs1")],
        encrypt="encrypt" in layers,
        enc_alg=CIPHERS[said.get("cipher", "aes-256-cbc")],
        compress="compress" in layers,
        **more,
    )


def message_for(said, other):
    if "sign,compress" in said["layers"]:
        raise ValueError("pyas2lib compresses before it signs")
    return Message(own_side(said), other)


def seal(said):
    message = message_for(said, other_side(said))
    body = read(said["in"]).partition(b"\r\n\r\n")[2]
    message.build(body, content_type="application/octet-stream")
    pathlib.Path(said["out"]).write_bytes(message.headers_str + b"\r\n" + message.content)
    return dict(mic=text(message.mic))


def named(side, name):
    """The same side by the name that a message gives it: one pair of keys serves a whole test."""
    side = copy.copy(side)
    side.as2_name = name
    return side


def opened(me, other, raw):
    """What a message says when it is opened, and the MDN for it."""
    message = Message()
    disposition, (error, _), mdn = message.parse(
        raw,
        find_org_cb=lambda name: named(me, name),
        find_partner_cb=lambda name: named(other, name),
    )
    payload = message.content if disposition == "processed" else b""
    fields = dict(
        disposition=disposition,
        detail=str(error) if error else None,
        message_id=message.message_id,
        signed=message.signed,
        digest=message.digest_alg,
        encrypted=message.encrypted,
        compressed=message.compressed,
        mic=text(message.mic),
        payload_sha256=hashlib.sha256(payload).hexdigest(),
    )
    return fields, payload, mdn


def open_(said):
    me, other = own_side(said), other_side(said)
    headers = {"AS2-From": other.as2_name, "AS2-To": me.as2_name, "Message-ID": "<1@house>"}
    if "receipt" in said:
        headers["Disposition-Notification-To"] = "any"
        micalg = f"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, {said['micalg']}"
        headers["Disposition-Notification-Options"] = micalg
    raw = header_block(headers.items())[:-2] + read(said["in"])
    fields, payload, mdn = opened(me, other, raw)
    if fields["detail"]:
        raise ValueError(fields["detail"])
    pathlib.Path(said["out"]).write_bytes(payload)
    if mdn:
        pathlib.Path(said["receipt"]).write_bytes(mdn.headers_str + b"\r\n" + mdn.content)
    return fields


def receipt(said):
    other = other_side(said, mdn_digest_alg="sha256" if said.get("signed", "yes") == "yes" else None)
    message = Message(None, other)
    message.mic = said["mic"].encode() if "mic" in said else None
    return receipted(message, read(said["in"]))


def receipted(message, raw):
    mdn = Mdn()
    disposition, detail = mdn.parse(raw, find_message_cb=lambda id, _: message)
    return dict(
        disposition=disposition,
        detail=detail,
        answers=mdn.orig_message_id,
        mdn_digest=mdn.digest_alg,
        mic_returned=received_mic(mdn),
    )


def received_mic(mdn):
    for part in mdn.payload.walk() if mdn.payload else ():
        if part.get_content_type() == "message/disposition-notification":
            value = part.get_payload()[-1].get("Received-Content-MIC")
            return value.split(",")[0].strip() if value else None
    return None


def listen(said):
    me, other = own_side(said), other_side(said)
    out = pathlib.Path(said["out"])

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_SECONDS

        def log_message(self, form, *values):
            pass

        def do_POST(self):
            self.close_connection = True
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                return self.send_error(411, "a Content-Length is needed")
            if int(length) > MAX_BODY:
                return self.send_error(413, "larger than a test message")
            body = self.rfile.read(int(length))
            raw = header_block(self.headers.items()) + body
            if is_mdn(raw):
                self.reply({}, b"")
                return RECEIPTS.put(raw)
            fields, payload, mdn = opened(me, other, raw)
            fields["payload"] = out / f"{fields['message_id']}.payload"
            fields["payload"].write_bytes(payload)
            if mdn and mdn.mdn_url:
                self.reply({}, b"")
                status, _ = posted(mdn.mdn_url, unfolded(mdn.headers), mdn.content)
                fields["mdn_status"] = status
            else:
                self.reply(unfolded(mdn.headers) if mdn else {}, mdn.content if mdn else b"")
            ARRIVALS.put(fields)

        def reply(self, headers, body):
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return dict(url=f"http://127.0.0.1:{server.server_address[1]}/")


def is_mdn(raw):
    mdn = Mdn()
    mdn.payload = pyas2lib.as2.parse_mime(raw)
    try:
        return mdn.detect_mdn() is not None
    except pyas2lib.as2.MDNNotFound:
        return False


def came(_):
    return ARRIVALS.get(timeout=PATIENCE_SECONDS)


def posted(url, headers, body):
    """Posts, and gives the status and the answer as one MIME message."""
    url = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE_SECONDS)
    connection.request("POST", url.path or "/", body=body, headers=headers)
    response = connection.getresponse()
    raw = header_block(response.getheaders()) + response.read(MAX_BODY)
    connection.close()
    return response.status, raw


def post(said):
    digest = said.get("micalg", said.get("sign", "sha256"))
    mode = {"none": None}.get(said["receipt"], "ASYNC" if "async" in said else "SYNC")
    signed = said["receipt"] == "signed"
    other = other_side(said, mdn_mode=mode, mdn_digest_alg=digest if signed else None)
    message = message_for(said, other)
    path = pathlib.Path(said["file"])
    kind = said.get("content_type", "application/octet-stream")
    message.build(path.read_bytes(), filename=path.name, content_type=kind)
    status, raw = posted(said["url"], unfolded(message.headers), message.content)
    fields = dict(status=status, message_id=message.message_id, mic_sent=text(message.mic))
    if mode is None:
        return fields
    if mode == "ASYNC" and status < 300:
        raw = RECEIPTS.get(timeout=PATIENCE_SECONDS)
    return fields | receipted(message, raw)


COMMANDS = dict(seal=seal, open=open_, receipt=receipt, listen=listen, came=came, post=post)


def answer(line):
    name, *words = line.rstrip("\n").split("\t")
    try:
        fields = COMMANDS[name](dict(word.split("=", 1) for word in words))
    except Exception as why:  # pylint: disable=broad-except
        return "error " + " ".join(f"{type(why).__name__}: {why}".split())
    shown = {name: " ".join(str(value).split()) for name, value in fields.items() if value is not None}
    return "\t".join(["ok"] + [f"{name}={value}" for name, value in shown.items()])


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.CRITICAL)
    print(f"ready\tpyas2lib {pyas2lib.__version__}", flush=True)
    for command in sys.stdin:
        print(answer(command), flush=True)
