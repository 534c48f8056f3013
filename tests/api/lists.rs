//! A list that many wait to be seen in is read by one of them, for all.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use transload::store::DocumentState::Settled;

use super::world::World;

const MINUTE: TimeDelta = TimeDelta::minutes(1);
const POST: &str = "vendorInvoices.submitInvoices";
const LIST: &str = "financesInvoices_2026-06-25.getInvoiceHeaders";
/// Invoices that wait at once: three pages of them.
const COUNT: u32 = 12;

/// An invoice, whole.
fn invoice(n: u32) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*ERP            *ZZ*BRIDGE         *261129*1200*U*00401\
         *{n:09}*0*T*>~GS*IN*ERP*BRIDGE*20261129*1200*{n}*X*004010~ST*810*0001~\
         BIG*20261129*CNRY-{n}*20261128*CNRY{n:04}~CUR*SE*USD~N1*BT*Buyer*92*PAYER~N3*2 Road~\
         N4*Seattle*WA*98109*US~N1*ST**92*DOCK~N1*RE*Vendor*92*TNDBX~N3*1 Road~N4*Columbus*OH*43085*US~\
         ITD*01*3*****60~IT1*1*6*EA*9.95*PE*BP*B0CANARY00~REF*PO*CNRY{n:04}~TDS*5970~CTT*1~\
         SE*16*0001~GE*1*{n}~IEA*1*{n:09}~"
    )
}

async fn one_for_all(durable: bool) {
    let mut world = World::start(durable).await;
    for n in 1..=COUNT {
        world.put(&format!("invoice-{n:02}.x12"), &invoice(n));
    }
    let asked = |world: &World, operation: &str| {
        let all = world.server.set(|state| state.asked.clone());
        all.iter().filter(|(one, _)| one == operation).count()
    };
    let begun = async || asked(&world, LIST) > 0;
    world.until(MINUTE, "the list is asked for", begun).await;
    // Whoever reads it is stopped at a page; another goes on there.
    world.restart().await;
    let settled = async || world.states("810").await == [Settled; COUNT as usize];
    world.until(MINUTE, "all are settled", settled).await;
    let had = world.server.had(POST);
    let numbers: BTreeSet<String> = had
        .iter()
        .map(|body| body["invoices"][0]["id"].to_string())
        .collect();
    assert_eq!((had.len(), numbers.len()), (12, 12), "each once");
    for row in world.documents("810").await {
        assert_eq!(row.note, "seen by a second witness");
        let kept = world.store().submission(row.id).await.unwrap().unwrap();
        assert_eq!((kept.listed, kept.seen), (None, None));
    }
    // Three pages, read anew for those who were posted late: not by each of them.
    let pages = asked(&world, LIST);
    assert!(pages < COUNT as usize, "{pages} pages");
    world.end().await;
}

#[tokio::test]
async fn one_reading_settles_all_whom_it_names() {
    for durable in [false, true] {
        one_for_all(durable).await;
    }
}
