//! `as2 seal`, and back through `as2 open`.

use super::{Pair, run};

fn sha256(bytes: &[u8]) -> String {
    let digest = openssl::sha::sha256(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

const PAYLOADS: [&[u8]; 3] = [b"", b"ISA*00*one\r\nline\n\n~", &[0x31; 100_000]];

#[test]
fn what_is_sealed_opens_to_the_same_bytes() {
    let pair = Pair::new();
    let ways: [&[&str]; 7] = [
        &[],
        &["--compress"],
        &["--sign", "none", "--compress=after-signing"],
        &["--encrypt", "none", "--sign", "sha-512"],
        &[
            "--encrypt",
            "aes-256-gcm",
            "--signature",
            "rsa-pss",
            "--compress=after-signing",
        ],
        &["--key-transport", "rsa-oaep-sha-256", "--encrypt-for-us"],
        &[
            "--encrypt",
            "aes-128-cbc",
            "--sign",
            "sha-384",
            "--content-type",
            "application/xml",
        ],
    ];
    for (payload, way) in PAYLOADS.iter().flat_map(|p| ways.map(|way| (p, way))) {
        let request = pair.seal(payload, way);
        let out = pair.path("payload");
        let ran = pair.as2(
            "open",
            "them",
            &request,
            &["--payload", out.to_str().unwrap()],
        );
        ran.says(0, &["\"as2_from\": \"US\"", "\"as2_to\": \"THE M\""]);
        let told = ran.json();
        assert_eq!(told["payload_sha256"], sha256(payload), "{way:?}");
        assert_eq!(told["payload_length"], payload.len());
        assert_eq!(std::fs::read(out).unwrap(), *payload);
        assert_eq!(told["file_name"], "order.edi");
        assert_eq!(told["weak"], serde_json::json!([]));
        assert_eq!(told["error"], serde_json::Value::Null);
    }
}

#[test]
fn both_sides_see_one_mic_and_one_id() {
    let pair = Pair::new();
    let file = pair.write("order.edi", b"ISA*00~");
    let request = pair.path("request");
    let sealed = pair.as2(
        "seal",
        "us",
        &file,
        &[
            "--from",
            "US",
            "--to",
            "THEM",
            "--message-id",
            "1@example.org",
            "--out",
            request.to_str().unwrap(),
        ],
    );
    let opened = pair.as2("open", "them", &request, &[]);
    assert_eq!(sealed.json()["mic"], opened.json()["mic"]);
    assert_eq!(opened.json()["message_id"], "<1@example.org>");
    assert_eq!(opened.json()["encrypted"]["cipher"], "aes-256-cbc");
    assert_eq!(opened.json()["content_type"], "application/EDI-X12");
    let headers = std::fs::read(&request).unwrap();
    assert!(headers.starts_with(b"AS2-Version: 1.2\r\nAS2-From: US\r\nAS2-To: THEM\r\n"));
}

#[test]
fn a_request_goes_to_stdout_and_the_talk_to_stderr() {
    let pair = Pair::new();
    let file = pair.write("order.edi", b"ISA*00~");
    let clear = [
        "--from",
        "US",
        "--to",
        "THEM",
        "--sign",
        "none",
        "--encrypt",
        "none",
    ];
    let ran = pair.as2("seal", "us", &file, &clear);
    assert!(ran.out.ends_with("\r\n\r\nISA*00~"), "{ran}");
    assert!(ran.err.contains("\"mic\":"), "{ran}");
}

#[test]
fn what_cannot_be_sealed_says_why_and_what_next() {
    let pair = Pair::new();
    let file = pair.write("order.edi", b"ISA*00~");
    let ids = ["--from", "US", "--to", "THEM"];
    let seal = |more: &[&str]| pair.as2("seal", "us", &file, &[&ids[..], more].concat());
    seal(&["--sign", "sha-1"]).says(2, &["sha-256, sha-384, sha-512 or none", "never written"]);
    seal(&["--encrypt", "3des"]).says(2, &["aes-256-gcm or none"]);
    seal(&["--at", "2001-01-01"]).says(2, &["none of our certificates is valid", "--at"]);
    let out = pair.path("no/such/folder");
    seal(&["--out", out.to_str().unwrap()]).says(4, &["cannot write", "folder exists"]);
    let bare = |more: &[&'static str]| {
        let mut args: Vec<&dyn AsRef<std::ffi::OsStr>> = vec![&"as2", &"seal", &file];
        args.extend(ids.iter().map(|id| id as &dyn AsRef<std::ffi::OsStr>));
        args.extend(more.iter().map(|more| more as &dyn AsRef<std::ffi::OsStr>));
        run(&args)
    };
    bare(&[]).says(2, &["signing needs our key", "--sign none"]);
    bare(&["--sign", "none"]).says(2, &["encryption needs the partner's certificate"]);
    let long = "x".repeat(129);
    run(&[&"as2", &"seal", &file, &"--from", &long, &"--to", &"T"])
        .says(2, &["not 1 to 128 printable ASCII characters"]);
}

#[test]
fn several_files_go_as_one_message_and_come_out_as_they_were() {
    let pair = Pair::new();
    let order = pair.write("order.edi", b"ISA*00~");
    let label = pair.write("label.PDF", b"%PDF\r\n--");
    let request = pair.path("request");
    let names = ["--from", "US", "--to", "THE M", "--out"];
    let mut args: Vec<&str> = vec![label.to_str().unwrap()];
    args.extend(names);
    args.push(request.to_str().unwrap());
    pair.as2("seal", "us", &order, &args).says(0, &[]);
    let (payload, folder) = (pair.path("payload"), pair.path("parts"));
    let places = [payload.to_str().unwrap(), folder.to_str().unwrap()];
    let more = ["--payload", places[0], "--parts", places[1]];
    let ran = pair.as2("open", "them", &request, &more);
    ran.says(0, &["multipart/related; type=\\\"application/edi-x12\\\""]);
    let told = ran.json();
    let table = [
        (0, "01-order.edi", "application/EDI-X12", &b"ISA*00~"[..]),
        (1, "02-label.PDF", "application/pdf", b"%PDF\r\n--"),
    ];
    for (n, file, kind, bytes) in table {
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), bytes);
        assert_eq!(told["parts"][n]["content_type"], kind);
        assert_eq!(told["parts"][n]["root"], n == 0);
    }
    // What is there is never written over.
    pair.as2("open", "them", &request, &more)
        .says(4, &["01-order.edi", "cannot write"]);
}
