//! A transfer that is cut on its way goes on from there: two gateways, and a wire that breaks.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use chrono::{TimeDelta, Utc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use transload::clock::{Clock, Moved, System};
use transload::store::MessageState;

use super::large::interchange;
use super::pair::{Kind, agreeing, bind, buyers_seller, identities, sellers_buyer, side};
use super::receipts::tried;

/// What the wire does to its first connection.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It breaks after so many bytes from the sender.
    Cut(usize),
    /// It breaks when the answer comes.
    Deaf,
}

/// A wire to `to`; the bytes that each connection carried there.
async fn wire(to: SocketAddr, fault: Fault) -> (SocketAddr, Arc<Mutex<Vec<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (here, carried) = (
        listener.local_addr().unwrap(),
        Arc::new(Mutex::new(Vec::new())),
    );
    let counts = Arc::clone(&carried);
    tokio::spawn(async move {
        let mut first = true;
        while let Ok((from, _)) = listener.accept().await {
            let fault = std::mem::take(&mut first).then_some(fault);
            let n = {
                let mut counts = counts.lock().unwrap();
                counts.push(0);
                counts.len() - 1
            };
            let counts = Arc::clone(&counts);
            tokio::spawn(async move {
                let to = TcpStream::connect(to).await.unwrap();
                carry(from, to, fault, |bytes| counts.lock().unwrap()[n] += bytes).await;
            });
        }
    });
    (here, carried)
}

/// Carries bytes both ways until one end is closed, or the fault says so.
async fn carry(
    mut from: TcpStream,
    mut to: TcpStream,
    fault: Option<Fault>,
    mut count: impl FnMut(usize),
) {
    let (mut there, mut back) = (vec![0; 16 << 10], vec![0; 16 << 10]);
    let mut carried = 0;
    loop {
        tokio::select! {
            read = from.read(&mut there) => match read {
                Ok(0) | Err(_) => return,
                Ok(len) => {
                    let len = match fault {
                        Some(Fault::Cut(most)) => len.min(most - carried),
                        _ => len,
                    };
                    carried += len;
                    count(len);
                    if to.write_all(&there[..len]).await.is_err() || matches!(fault, Some(Fault::Cut(most)) if carried == most) {
                        return;
                    }
                }
            },
            read = to.read(&mut back) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) if matches!(fault, Some(Fault::Deaf)) => return,
                Ok(len) => if from.write_all(&back[..len]).await.is_err() {
                    return;
                },
            },
        }
    }
}

/// Sends a large interchange over a wire that breaks once; gives what each connection carried, and
/// the body's length.
async fn sent_over(fault: Fault, agreed: bool) -> (Vec<usize>, usize) {
    const RESTART: &str = "restart = true\n";
    let (at_buyer, at_seller) = (bind().await, bind().await);
    let to_seller = at_seller.url().unwrap();
    let (here, carried) = wire(at_buyer.as2.local_addr().unwrap(), fault).await;
    let clock = Arc::new(Moved::to(Utc::now()));
    let moved: Arc<dyn Clock> = Arc::clone(&clock) as _;
    let [buyer, seller, _] = identities();
    let more = if agreed { RESTART } else { "" };
    let buyer = side(Kind::Sqlite, at_buyer, buyer, Arc::new(System), |folder| {
        vec![agreeing(&buyers_seller(folder, &to_seller), more)]
    });
    let seller = side(Kind::Sqlite, at_seller, seller, moved, |folder| {
        let partner = sellers_buyer(folder, &format!("http://{here}/as2"));
        vec![agreeing(&partner, RESTART)]
    });
    let payload = interchange(7, ("TINDERBOX", "QUILLFEATHER"), 1 << 20);
    let document = seller
        .gateway()
        .send("quillfeather", &payload)
        .await
        .unwrap();
    let first = tried(&seller, document, 1).await;
    assert_eq!(
        first.message.state,
        MessageState::Sent,
        "they may have it: {}",
        first.message.note
    );
    // Where the other side has not seen yet that the wire broke, it is asked again.
    let mut out = first;
    for tries in 2..20 {
        if out.message.state == MessageState::Confirmed {
            break;
        }
        clock.forward(TimeDelta::hours(1));
        seller.gateway().poke();
        out = tried(&seller, document, tries).await;
    }
    assert_eq!(out.message.state, MessageState::Confirmed);
    let key = out.message.key.clone();
    let theirs = transload::store::Key {
        our_id: key.partner_id,
        partner_id: key.our_id,
        ..key
    };
    let way = transload::store::Direction::Inbound;
    let came = buyer.store().find(way, theirs).await.unwrap().unwrap();
    assert_eq!(came.body, out.message.body, "byte for byte");
    assert_eq!(came.mic, out.message.mic);
    let body = seller
        .store()
        .payload(out.message.body)
        .await
        .unwrap()
        .unwrap();
    let all = carried.lock().unwrap().clone();
    buyer.running.stop().await.unwrap();
    seller.running.stop().await.unwrap();
    (all, usize::try_from(body.len()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transfer_that_broke_at_60_percent_goes_on_from_there() {
    // The payload's eight megabytes and what is around them.
    let (carried, len) = sent_over(Fault::Cut(5_200_000), true).await;
    assert_eq!(carried[0], 5_200_000);
    // A question, the rest, and heads; a try that came too early ends after some buffers.
    let (rest, later) = (len - 5_200_000, &carried[1..]);
    let most = *later.iter().max().unwrap();
    assert!(
        (rest..rest + 20_000).contains(&most) && later.iter().sum::<usize>() < len,
        "{carried:?} of {len}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_is_asked_for_by_the_last_byte() {
    let (carried, len) = sent_over(Fault::Deaf, true).await;
    let later: usize = carried[1..].iter().sum();
    assert!(carried[0] > len && later < 5_000, "{carried:?} of {len}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_of_it_gets_the_whole_again() {
    let (carried, len) = sent_over(Fault::Cut(5_200_000), false).await;
    let later: usize = carried[1..].iter().sum();
    assert!(later > len, "{carried:?} of {len}");
}
