//! No foreign bytes end a decoder, or the bank, in a panic.
//!
//! What libFuzzer found worth keeping lies in `tests/fuzz/corpus`, with every input that ever broke something. Here each
//! decoder gets all of it, and some mutations; a running bank gets mutated batches, tokens and requests.

use std::fs;

use creditbank_client::receipt::{BundleWriter, bundle_of, receipt_text};
use creditbank_client::submit;
use creditbank_domain::registry::InstitutionNumber;
use creditbank_domain::statistics::{Cells, Population, Subject, Table, Yearbook};
use creditbank_merkle::{AddCheckpoint, TreeSize};
use creditbank_store::{AccessKey, GrantRow, pointed, pointer};
use creditbank_wire::{Message, v1};
use tonic::Request;

use crate::bank::{Bank, told};
use crate::chance::Chance;
use crate::crash::all_leaves;
use crate::http;
use crate::institution::{Institution, course, digits, keys};

#[path = "../fuzz/decoders.rs"]
mod decoders;
#[path = "../fuzz/mutate.rs"]
pub(crate) mod mutate;

/// Mutations of the corpus of each decoder.
const MUTATIONS: u64 = 10_000;
/// Requests to a running bank.
const REQUESTS: u64 = 600;

#[test]
fn no_decoder_panics_at_foreign_bytes() {
    let mut chance = Chance::new("fuzz");
    for (name, decode) in decoders::DECODERS {
        mutate::replay(&format!("corpus/{name}"), decode, MUTATIONS, |end| {
            chance.below(end)
        });
    }
}

/// Rows of the database, which libFuzzer's workspace goes without: it would compile RocksDB once more.
#[test]
fn no_row_about_who_may_see_what_ends_in_a_panic() {
    let mut chance = Chance::new("rows");
    let decode = |bytes: &[u8]| {
        if let Ok(row) = GrantRow::decode(bytes) {
            assert_eq!(row.encode(), bytes);
        }
        drop(pointed(bytes));
    };
    mutate::replay("files/access-row", decode, MUTATIONS, |end| {
        chance.below(end)
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_bank_outlives_foreign_bytes() {
    let mut chance = Chance::new("foreign");
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let good = fudan.sign(vec![fudan.course("a", learner), fudan.course("b", learner)]);
    let kept = |bytes: Vec<u8>| vec![(Default::default(), bytes)];
    let batches = kept(good.encode_to_vec());
    let mut witness = mutate::kept("corpus/witness");
    witness.extend(mutate::kept("corpus/note"));
    let paths = mutate::kept("corpus/tiles");
    let mut chance = |end| chance.below(end);
    for _ in 0..REQUESTS {
        let batch = mutate::mutated(&batches, &mut chance);
        if let Ok(batch) = v1::SubmitBatchRequest::decode(&batch[..]) {
            drop(submit::submit(&fudan.line, batch).await);
        }
        let body = mutate::mutated(&witness, &mut chance);
        let body = String::from_utf8_lossy(&body).into_owned();
        assert!(http::post(bank.http(), "/add-checkpoint", &body).status < 500);
        let path = mutate::mutated(&paths, &mut chance);
        let path: String = path
            .iter()
            .filter(|byte| byte.is_ascii_graphic())
            .map(|byte| char::from(*byte))
            .collect();
        assert!(http::get(bank.http(), &format!("/{path}")).status < 500);
    }
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{}", bank.grpc())).unwrap();
    let channel = channel.connect().await.unwrap();
    let mut archive = v1::archive_service_client::ArchiveServiceClient::new(channel);
    let tokens = kept(b"Bearer eyJhbGciOiJFZERTQSIsImtpZCI6IjAwIn0.eyJpc3MiOiJmdWRhbiIsImF1ZCI6ImIiLCJpYXQiOjEsImV4cCI6MiwianRpIjoiYSJ9.AAAA".to_vec());
    for _ in 0..REQUESTS {
        let token = mutate::mutated(&tokens, &mut chance);
        let mut request = Request::new(v1::GetTotalsRequest {
            learner: digits(learner),
        });
        if let Ok(token) = String::from_utf8_lossy(&token).parse() {
            request.metadata_mut().insert("authorization", token);
        }
        assert!(archive.get_totals(request).await.is_err());
    }
    assert!(!bank.said().contains("panicked"), "{}", bank.said());
    bank.check_log();
}

/// Writes first inputs for every decoder: what a bank really sends, and documents that are shipped. By hand, where a
/// format is new: `cargo test … -- --ignored the_first_inputs_are_written`; libFuzzer goes on from there.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes into the tree"]
async fn the_first_inputs_are_written() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let records: Vec<_> = (0..3)
        .map(|i| fudan.course(&format!("course {i}"), learner))
        .collect();
    write("envelope", records.iter().map(|it| it.envelope.to_vec()));
    write("payload", records.iter().map(|it| it.payload.to_vec()));
    write("payload", [course("course").encode_to_vec()]);
    let first = fudan.submit(records.clone()).await.unwrap();
    let again = fudan.submit(records).await.unwrap();
    let mut bundles = BundleWriter::new(Vec::new());
    for one in [&first, &again] {
        bundles
            .write(&bundle_of(&one.request, &one.response).unwrap())
            .unwrap();
    }
    write("bundles", [bundles.into_inner()]);
    let receipt = again.response.duplicates[0].receipt.clone().unwrap();
    let receipt_file = receipt_text(&receipt).unwrap().into_bytes();
    write("receipt", [receipt_file.clone()]);
    write("proof", [receipt_file]);
    let leaves = all_leaves(&bank).await;
    write("audit", leaves.iter().map(|leaf| leaf.to_vec()));
    write("leaf", leaves.iter().map(|leaf| leaf.to_vec()));
    let envelopes = leaves
        .iter()
        .map(|leaf| v1::Leaf::decode(&leaf[..]).unwrap().envelope);
    let envelopes: Vec<_> = envelopes.collect();
    write("envelope", envelopes.iter().map(|it| it.to_vec()));
    let stated = envelopes
        .iter()
        .map(|it| v1::Envelope::decode(&it[..]).unwrap().statement.to_vec());
    write("envelope", stated);
    let note = receipt.checkpoint.clone();
    let request = AddCheckpoint {
        old: TreeSize::new(2),
        proof: Vec::new(),
        note: note.clone(),
    };
    write("witness", [request.encode().into_bytes()]);
    write("note", [note.into_bytes()]);
    let paths = [
        "tile/0/000.p/5",
        "tile/entries/x001/234",
        "tile/2/x001/x002/003.p/7",
        "checkpoint",
    ];
    write("tiles", paths.map(|path| path.as_bytes().to_vec()));
    write(
        "tiles",
        [http::get(bank.http(), "/tile/entries/000.p/5").body],
    );
    let file = keys("fudan").to_file().as_bytes().to_vec();
    write(
        "keys",
        [file, fs::read(bank.dir().join("bank.pub")).unwrap()],
    );
    write(
        "rules",
        [
            "certificates/calendar",
            "delta/agreements",
            "delta/conversion",
            "delta/process",
            "shanghai-open/set",
        ]
        .map(|name| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            fs::read(root.join(format!("deploy/rules/{name}.toml"))).unwrap()
        }),
    );
    write_made_up();
    let known = fs::read(bank.dir().join("bank.pub")).unwrap();
    fs::copy(
        bank.dir().join("bank.pub"),
        mutate::folder("corpus/bank.pub"),
    )
    .unwrap();
    bank.stop();
    for step in ["rotate", "finish"] {
        let done = bank.run(&["keys", step, "log", "{dir}"]);
        assert!(done.status.success(), "{}", told(&done));
    }
    let followed = fs::read(bank.dir().join("bank.pub")).unwrap();
    write("log-keys", [known, followed]);
}

/// Formats of which no bank of a test has bytes at hand.
fn write_made_up() {
    let hash = bytes::Bytes::from(vec![7; 32]);
    let id = bytes::Bytes::from(vec![9; 16]);
    let item = v1::PeriodItem {
        transfer_id: id.clone(),
        direction: 1,
        commitment: hash.clone(),
        category: v1::Category::DegreeCourse.into(),
        purpose: 1,
        source_hundredths: 300,
        agreement: "a".to_owned(),
        agreement_version: "1".to_owned(),
        reserved_at_ms: 1,
        released_at_ms: 2,
        state: 4,
        ..Default::default()
    };
    write("period", [item.encode_to_vec()]);
    write_figures();
    write_rows();
    let consent = v1::Consent {
        category: v1::Category::DegreeCourse.into(),
        recipient: "js.test/log".to_owned(),
        recipient_learner: "3100000000000001".to_owned(),
        purpose: 1,
        programme: "nursing".to_owned(),
        notice_sha256: hash.clone(),
        ..Default::default()
    };
    write("transfer", [consent.encode_to_vec()]);
    let proposed = v1::ProjectProposed {
        project: "p".to_owned(),
        ..Default::default()
    };
    write(
        "catalogue",
        [proposed.encode_to_vec(), b"2026-01-01".to_vec()],
    );
    let numbers = [
        "3199010119900101001X",
        "31990119900307123X",
        "3100000000000001",
        "91310000MA1FL0000X",
        "2026-01",
        "12.50",
        "H1234567890",
        "AB12-CD34-EF56",
    ];
    write("identifiers", numbers.map(|it| it.as_bytes().to_vec()));
}

fn write_figures() {
    let row = |table: Table, first, amount| v1::FiguresRow {
        subject: Subject::ALL[0] as u32,
        table: table as u32,
        first,
        second: 0,
        amounts: vec![amount; 5],
        people: vec![amount; 5],
        squares: vec![amount; 5],
    };
    let figures = v1::Figures {
        tree_size: 9,
        rows: vec![
            row(Table::ALL[0], 0, 40),
            row(Table::ALL[1], 1, 30),
            row(Table::ALL[1], 2, 10),
        ],
        institutions: Vec::new(),
    };
    let cells: Cells = creditbank_wire::convert::statistics::cells(2026, &figures.rows);
    let population = Population {
        source: "第七次人口普查".to_owned(),
        dated: "2020-11-01".to_owned(),
        residents: [(0, 1000), (310_110, 70)].into(),
    };
    let named = creditbank_wire::convert::statistics::population_message(&population);
    let yearbook = Yearbook::new(("bank.test/log", 2026), (9, [3; 32]), population, &cells);
    let sent = creditbank_wire::convert::statistics::yearbook_message(&yearbook, Vec::new(), false);
    write(
        "statistics",
        [
            yearbook.encode(),
            sent.encode_to_vec(),
            named.encode_to_vec(),
            figures.encode_to_vec(),
        ],
    );
}

fn write_rows() {
    let (learner, id) = (1_234_567_890_123_456, [7; 16]);
    let pointers = vec![
        AccessKey::Secret([3; 32]),
        AccessKey::Subject([4; 32]),
        AccessKey::Delegate(learner, id),
        AccessKey::Queue(InstitutionNumber(17), 1_795_000_000_000, id),
    ];
    let row = GrantRow {
        kind: 1,
        pointers,
        sealed: vec![5; 40],
    };
    write_in("files/access-row", [row.encode(), pointer(learner, &id)]);
}

fn write(name: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    write_in(&format!("corpus/{name}"), inputs);
}

fn write_in(folder: &str, inputs: impl IntoIterator<Item = Vec<u8>>) {
    let folder = mutate::folder(folder);
    fs::create_dir_all(&folder).unwrap();
    for input in inputs {
        let digest = creditbank_merkle::leaf_hash(&input).0;
        let digest: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        fs::write(folder.join(digest), input).unwrap();
    }
}
