//! AS2 headers, names and ids (rows of `headers`, `identifiers`, `message-id`, `features`; cases H).

use std::collections::HashSet;

use transload::as2::{Headers, message_id, quote_name, unquote_name};
use transload::net;
use transload::store::{Direction, MessageState};

use super::forge;
use super::wire::{LAX, Relation, Request, Stub, Us, day, fresh, parsed, swap};

/// A gateway whose names and those of its partner are these.
fn named(ours: &str, theirs: &str) -> Us {
    Us::with(
        &[Relation::default().names(ours, theirs).more(LAX)],
        1 << 20,
    )
}

/// What a request has to be like to come from that name.
fn from(name: &str) -> Request {
    Request::plain(b"x").set("AS2-From", name)
}

#[test]
fn as2_021_a_version_on_everything() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, LAX);
    us.sent();
    let reply = us.post(&Request::plain(b"x"));
    for version in [
        stub.first().get("AS2-Version"),
        reply.get("AS2-Version").unwrap(),
    ] {
        assert!(("1.0"..="1.9").contains(&version), "{version}");
    }
}

#[test]
fn as2_022_no_version_is_1_0() {
    let us = Us::lax();
    let none = Request::sealed(b"x").without("AS2-Version");
    assert_eq!(us.post(&none).said(), "processed");
    // A receipt without one, too.
    let stub = Stub::new(|_, seen| {
        let (mut headers, body) = seen.mdn(Some(super::wire::them()), |_| {});
        headers = headers
            .iter()
            .filter(|(name, _)| *name != "AS2-Version")
            .collect();
        super::wire::respond(200, &headers, &body)
    });
    let sent = Us::to(&stub.url, "").sent();
    assert_eq!(sent.message.state, MessageState::Confirmed);
}

#[test]
fn as2_023_any_version_1_x_is_taken() {
    let us = Us::lax();
    for minor in 0..10 {
        let request = Request::sealed(b"x").set("AS2-Version", &format!("1.{minor}"));
        assert_eq!(us.post(&request).said(), "processed", "1.{minor}");
    }
}

#[test]
fn as2_026_any_product_or_none() {
    let us = Us::lax();
    for product in ["Foo Bar/1", "", &"x".repeat(2000), "foo:1.2"] {
        let request = Request::plain(b"x").set("AS2-Product", product);
        assert_eq!(us.post(&request).said(), "processed");
    }
}

#[test]
fn as2_027_subject_and_date_with_a_receipt_request() {
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    let seen = stub.first();
    assert!(!seen.get("Subject").is_empty());
    chrono::DateTime::parse_from_rfc2822(seen.get("Date")).unwrap();
}

#[test]
fn as2_028_both_names_on_everything() {
    let stub = Stub::good();
    let us = Us::to(&stub.url, LAX);
    us.sent();
    let (request, reply) = (Request::plain(b"x"), stub.first().headers);
    let mdn = us.post(&request).headers;
    for headers in [reply, mdn] {
        let names = [headers.as2_from().unwrap(), headers.as2_to().unwrap()];
        assert_eq!(names, ["WE", "ACME"]);
    }
}

#[test]
fn as2_029_names_of_1_to_128_printable_characters() {
    for byte in 0x21..0x7f_u8 {
        let name = char::from(byte).to_string();
        assert_eq!(unquote_name("AS2-To", &quote_name(&name)).unwrap(), name);
    }
    for bad in ["", "a\tb", "\u{fc}", &"x".repeat(129)] {
        assert!(unquote_name("AS2-To", bad).is_err(), "{bad:?}");
        let file = format!("our_id = {bad:?}");
        assert!(parsed(&file).is_err(), "{bad:?}");
    }
    assert!(parsed(&format!("our_id = {:?}", "x".repeat(128))).is_ok());
    let odd = "a;b,c:d=e@f/<g>(h)[i]#!";
    assert_eq!(named("WE", odd).post(&from(odd)).status, 200);
}

#[test]
fn as2_030_an_escaped_pair_is_one_character() {
    let name = "\"".repeat(128);
    let us = named("WE", &name);
    let wire = format!("\"{}\"", "\\\"".repeat(128));
    assert_eq!((wire.len(), us.post(&from(&wire)).status), (258, 200));
    assert_eq!(unquote_name("AS2-From", r#""a\\b""#).unwrap(), r"a\b");
    assert!(unquote_name("AS2-From", &format!("\"{}\"", "\\\"".repeat(129))).is_err());
}

#[test]
fn as2_031_quotes_only_where_they_have_to_be() {
    let stub = Stub::good();
    let relation = Relation::default().names("WE", "ACME Corp").url(&stub.url);
    Us::with(&[relation], 1 << 20).sent();
    let seen = stub.first();
    assert_eq!(
        (seen.get("AS2-From"), seen.get("AS2-To")),
        ("WE", "\"ACME Corp\"")
    );
}

#[test]
fn as2_032_quotes_that_nobody_needs_change_nothing() {
    let us = Us::lax();
    for name in ["ACME", "\"ACME\"", " ACME ", "\"ACM\\E\""] {
        assert_eq!(us.post(&from(name)).status, 200, "{name}");
    }
}

#[test]
fn as2_033_names_are_compared_with_their_case() {
    let relations = ["ACME", "Acme"].map(|name| Relation::default().names("WE", name).more(LAX));
    let us = Us::with(&relations, 1 << 20);
    for (name, partner) in [("ACME", "acme"), ("Acme", "acme-1")] {
        assert_eq!(us.post(&from(name)).status, 200);
        assert_eq!(
            us.messages(Direction::Inbound).last().unwrap().partner,
            partner
        );
    }
    assert_eq!(us.post(&from("acme")).status, 403);
    assert_eq!(us.inbox().len(), 2);
}

#[test]
fn as2_034_the_receipt_has_the_names_swapped() {
    for (name, wire) in [
        ("ACME", "ACME"),
        ("A B", "\"A B\""),
        ("a\"b\\", "\"a\\\"b\\\\\""),
    ] {
        let reply = named("WE", name).post(&from(wire));
        let names = (
            reply.headers.as2_from().unwrap(),
            reply.headers.as2_to().unwrap(),
        );
        assert_eq!(names, ("WE".to_owned(), name.to_owned()));
    }
}

#[test]
fn as2_035_an_unknown_pair_delivers_nothing() {
    let us = Us::lax();
    let turned = Request::plain(b"x")
        .set("AS2-From", "WE")
        .set("AS2-To", "ACME");
    for request in [
        from("OTHER"),
        Request::plain(b"x").set("AS2-To", "OTHER"),
        turned,
    ] {
        assert_eq!(us.post(&request).status, 403);
    }
    assert!(us.messages(Direction::Inbound).is_empty());
}

#[test]
fn as2_036_ids_are_unique_whatever_the_clock_says() {
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(|| {
                let id = |_| message_id("we.example", &mut net::entropy, day());
                (0..5_000).map(id).collect::<Vec<_>>()
            })
        })
        .collect();
    let ids = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap());
    let mut seen = HashSet::new();
    for id in ids {
        assert!(id.ends_with("@we.example>"), "{id}");
        assert!(seen.insert(id));
    }
    assert_eq!(seen.len(), 40_000);
}

#[test]
fn as2_037_ids_stay_within_255_characters() {
    let long = "w".repeat(128);
    assert!(message_id(&long, &mut net::entropy, day()).len() <= 255);
    let reply = named(&long, "ACME").post(&Request::plain(b"x").set("AS2-To", &long));
    assert!(reply.get("Message-ID").unwrap().len() <= 255);
}

#[test]
fn as2_038_blanks_of_a_name_are_left_out_of_an_id() {
    let id = message_id("ACME Corp\t\u{7f}", &mut net::entropy, day());
    assert!(
        id.ends_with("@ACMECorp>") && id.bytes().all(|byte| byte.is_ascii_graphic()),
        "{id}"
    );
}

#[test]
fn as2_039_a_broken_id_is_invalid() {
    let us = Us::lax();
    let broken = ["<a b@c>", "a\tb@c"].map(|id| Request::plain(b"x").set("Message-ID", id));
    let missing = [
        Request::plain(b"x").without("Message-ID"),
        Request::plain(b"x").set("Message-ID", ""),
    ];
    for request in broken.into_iter().chain(missing) {
        let said = us.post(&request).said();
        assert_eq!(
            said,
            "processed/error: invalid-message-id",
            "{:?}",
            request.id()
        );
    }
    assert!(us.inbox().is_empty());
}

#[test]
fn as2_040_a_broken_id_goes_nowhere() {
    let us = Us::lax();
    let reply = us.post(&Request::plain(b"x").set("Message-ID", "<no where@x>"));
    assert!(
        !reply
            .get("Message-ID")
            .unwrap_or_default()
            .contains("where")
    );
    let files = files_below(us.folder.path());
    assert!(
        !files.iter().any(|file| file.contains("where")),
        "{files:?}"
    );
}

fn files_below(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        }
        found.push(path.display().to_string());
    }
    found
}

#[test]
fn as2_041_ids_are_left_at_right_in_brackets() {
    let well_formed = |id: &str| {
        let bare = id
            .strip_prefix('<')
            .and_then(|id| id.strip_suffix('>'))
            .unwrap();
        let (left, right) = bare.split_once('@').unwrap();
        assert!(
            !left.is_empty() && !right.is_empty() && !right.contains('@'),
            "{id}"
        );
    };
    for host in ["we.example", "WE", "a@b", "<x>"] {
        (0..1000).for_each(|_| well_formed(&message_id(host, &mut net::entropy, day())));
    }
    let stub = Stub::good();
    Us::to(&stub.url, "").sent();
    well_formed(stub.first().get("Message-ID"));
}

#[test]
fn as2_042_an_id_without_brackets_is_taken() {
    let reply = Us::lax().post(&Request::plain(b"x").set("Message-ID", "abc@host"));
    assert_eq!(reply.said(), "processed");
}

#[test]
fn as2_043_odd_ids_are_taken() {
    let us = Us::lax();
    for id in [
        "<#as2_company#01#x#>",
        "<\"a\\\"b\"@c>",
        "<no-at>",
        &"x".repeat(998),
    ] {
        let reply = us.post(&Request::plain(id).set("Message-ID", id));
        assert_eq!(
            (reply.said(), reply.mdn().original_message_id),
            ("processed".into(), id.into())
        );
    }
}

#[test]
fn as2_044_the_id_is_repeated_octet_for_octet() {
    let us = Us::lax();
    for id in ["<a@b>", "a@b2", "<\"q\\p\"@X>", "<MiXed@Case>"] {
        let reply = us.post(&Request::plain(id).set("Message-ID", id));
        let line = format!("\r\nOriginal-Message-ID: {id}\r\n");
        assert!(reply.text().contains(&line), "{}", reply.text());
    }
}

#[test]
fn as2_045_a_receipt_is_matched_with_or_without_brackets() {
    type Change = fn(&str) -> String;
    let changes: [(Change, bool); 4] = [
        (|id| id.to_owned(), true),
        (|id| id.trim_matches(['<', '>']).to_owned(), true),
        (|id| format!("  {id} "), true),
        (str::to_uppercase, false),
    ];
    for (n, (change, matches)) in changes.into_iter().enumerate() {
        let stub = Stub::new(move |_, seen| {
            seen.receipt(|mdn| mdn.original_message_id = change(&mdn.original_message_id))
        });
        let sent = Us::to(&stub.url, "").sent();
        assert_eq!(
            sent.message.state == MessageState::Confirmed,
            matches,
            "{n}"
        );
    }
}

#[test]
fn as2_046_a_receipt_has_an_id_of_its_own() {
    let us = Us::lax();
    let ids: HashSet<String> = (0..20)
        .map(|n| {
            us.post(&Request::plain([n]))
                .get("Message-ID")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 20);
    let stub = Stub::new(|_, seen| {
        let (headers, body) = seen.mdn(Some(super::wire::them()), |_| {});
        let headers = headers
            .iter()
            .filter(|(name, _)| *name != "Message-ID")
            .collect();
        super::wire::respond(200, &headers, &body)
    });
    let sent = Us::to(&stub.url, "").sent();
    assert_eq!(
        sent.message.state,
        MessageState::Confirmed,
        "none is fine when reading"
    );
}

#[test]
fn as2_218_unknown_features_change_nothing() {
    let us = Us::lax();
    let odd = [
        "CEM, x-unknown,,AS2-Reliability",
        "CMS",
        "",
        ",;=",
        &"x,".repeat(4000),
    ];
    for features in odd {
        let request = Request::plain(b"x").set("EDIINT-Features", features);
        assert_eq!(us.post(&request).said(), "processed");
    }
}

#[test]
fn as2_219_announced_features_change_no_security() {
    let us = Us::new("");
    let request = Request::plain(b"x").set("EDIINT-Features", "no-signature, AS2-Reliability");
    assert_eq!(
        us.post(&request).said(),
        "processed/error: insufficient-message-security"
    );
}

#[test]
fn as2_230_no_line_break_of_theirs_becomes_structure() {
    let us = Us::lax();
    let sound = Request::plain(b"x").set("Subject", "SUBJECT").bytes();
    for bad in ["a\rX-Evil: 1", "a\0b", "a\nX-Evil: 1"] {
        let replies = us.raw(&swap(&sound, b"SUBJECT", bad.as_bytes()));
        assert_eq!(replies[0].status, 400, "{bad:?}");
        assert!(!replies[0].head.to_lowercase().contains("x-evil"));
    }
    let twice = |name, value| us.post(&Request::plain(b"x").also(name, value));
    assert_eq!(twice("AS2-From", "OTHER").status, 400);
    assert_eq!(twice("AS2-To", "OTHER").status, 400);
    let said = twice("Message-ID", "<o@x>").said();
    assert_eq!(said, "processed/error: invalid-message-id");
    assert!(us.inbox().is_empty());
    let reply = us.post(&Request::plain(b"x"));
    for name in ["AS2-From", "AS2-To", "Message-ID"] {
        assert_eq!(reply.headers.all(name).count(), 1);
    }
    let written: Headers = [("Subject", "a\r\nX-Evil: 1")].into_iter().collect();
    assert_eq!(written.to_bytes(), b"Subject: a  X-Evil: 1\r\n\r\n");
}

#[test]
fn as2_case_h1_names_with_blanks() {
    let us = named("WE", "ACME Corp");
    for wire in ["\"ACME Corp\"", "ACME Corp", "\"ACME\\ Corp\""] {
        assert_eq!(us.post(&from(wire)).status, 200, "{wire}");
    }
    assert_eq!(us.post(&from("\"acme corp\"")).status, 403);
}

#[test]
fn as2_case_h3_the_receipt_mirrors_the_form() {
    let us = Us::lax();
    for wire in ["ACME", "\"ACME\""] {
        assert_eq!(us.post(&from(wire)).get("AS2-To"), Some(wire));
    }
}

#[test]
fn as2_case_h4_two_names_have_to_agree() {
    let us = Us::lax();
    let twice = |other| {
        us.post(&Request::plain(b"x").also("AS2-From", other))
            .status
    };
    assert_eq!(twice("\"ACME\""), 200);
    assert_eq!(twice("ACME2"), 400);
}

#[test]
fn as2_case_h6_ids_and_names_are_no_paths() {
    let us = Us::lax();
    let id = "<../../../h6/x:y\\z@a';drop-table>";
    let named = forge::entity(
        &[
            "Content-Type: application/EDI-X12",
            "Content-Disposition: attachment; filename=\"../../../h6.edi\"",
        ],
        b"x",
    );
    let request = Request::new(forge::SIGNED, forge::signed(&named)).set("Message-ID", id);
    assert_eq!(us.post(&request).said(), "processed");
    let files = files_below(us.folder.path());
    assert!(!files.iter().any(|file| file.contains("h6")), "{files:?}");
    assert_eq!(us.inbox(), [b"x"]);
}

#[test]
fn as2_case_h8_no_date_or_a_bad_one() {
    let us = Us::lax();
    for date in ["", "yesterday", "Sun, 99 Nov 20266 12:00:00", "22.11.2026"] {
        let request = Request::plain(b"x").set("Date", date);
        assert_eq!(us.post(&request).said(), "processed", "{date}");
    }
    assert_eq!(
        us.post(&Request::plain(b"x").without("Date")).said(),
        "processed"
    );
}

#[test]
fn as2_case_h10_any_subject_from_and_notification_address() {
    let us = Us::lax();
    for value in ["", "http://example.org/?x", "\u{fc}ber", "a, b; c", "<x"] {
        let request = Request::plain(value).set("Disposition-Notification-To", value);
        let request = request.set("Subject", value).set("From", value);
        assert_eq!(us.post(&request).said(), "processed", "{value}");
    }
}

#[test]
fn as2_case_h11_a_stranger_costs_no_private_key() {
    let us = Us::new("");
    let request = Request::sealed(b"x").set("AS2-From", "OTHER");
    let reply = us.post(&request);
    assert_eq!(
        reply.status,
        403,
        "refused by name, before the body: {}",
        reply.text()
    );
    // Not even the body is waited for.
    let head = request
        .set("Message-ID", &fresh())
        .head("Content-Length: 1000000\r\n");
    assert_eq!(us.raw(&head)[0].status, 403);
}
