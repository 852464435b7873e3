//! Banks witness each other: they cosign what only grew, keep what proves a fork, and do not sign a second history
//! after a restore while anybody remembers the first.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use creditbank_domain::record::KeyPurpose;
use creditbank_merkle::{
    AddCheckpoint, Checkpoint, CosignerKey, EMPTY_ROOT, Hash, Note, NoteSigner, ProofError,
    TreeSize, VerifierKey, leaf_hash, node_hash, verify_consistency,
};
use creditbank_wire::v1;
use ed25519_dalek::SigningKey;
use serde_json::Value;

use crate::backup::{back_up, elsewhere, target};
use crate::bank::{BOUND, Bank, leaves, told};
use crate::http::{self, Answer};
use crate::institution::{admission, keys, public_key};

const SH: &str = "sh.test/log";
const JS: &str = "js.test/log";
/// Between two questions whether something has happened.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks again until there is an answer.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a test that waits, with a bound")]
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < BOUND, "{what} does not happen");
        std::thread::sleep(PAUSE);
    }
}

/// Runs a command that must succeed; gives what it printed.
#[track_caller]
fn done(bank: &Bank, arguments: &[&str]) -> String {
    let output = bank.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    String::from_utf8(output.stdout).expect("text")
}

/// The banks of Shanghai and Jiangsu, which know each other by their cards and run.
pub(crate) struct Pair {
    pub(crate) sh: Bank,
    pub(crate) js: Bank,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let mut pair = Self::strangers();
        pair.sh.start();
        pair.js.start();
        admit(&pair.js, "shanghai");
        admit(&pair.sh, "jiangsu");
        pair
    }

    /// The same, each pinned in the other's settings, but neither running nor registered.
    fn strangers() -> Self {
        let mut sh = Bank::made_as(SH, &["--region", "31"]);
        let mut js = Bank::made_as(JS, &["--region", "32"]);
        card(&mut sh, "shanghai", &js);
        card(&mut js, "jiangsu", &sh);
        for (bank, peer) in [(&sh, "jiangsu"), (&js, "shanghai")] {
            for said in ["pinned;", "pinned already"] {
                let added = done(bank, &["peer", "add", "{dir}", &beside(bank, peer)]);
                assert!(added.contains(said), "{added}");
            }
        }
        Self { sh, js }
    }

    /// Waits until Jiangsu has cosigned all of Shanghai's log; gives the note.
    #[track_caller]
    fn cosigned(&self, size: u64) -> String {
        until("a cosignature", || {
            let note = shown(self.js.http(), SH)?;
            (size_of(&note) == size).then_some(note)
        })
    }
}

/// Writes a bank's card into the folder of another.
fn card(bank: &mut Bank, id: &str, to: &Bank) {
    let [grpc, http] = bank.settle().map(|at| format!("http://{at}"));
    let arguments = ["peer", "card", "{dir}", "--id", id];
    let printed = done(
        bank,
        &[&arguments[..], &["--grpc", &grpc, "--http", &http]].concat(),
    );
    fs::write(beside(to, id), printed).unwrap();
}

fn beside(bank: &Bank, id: &str) -> String {
    let path = bank.beside().join(format!("{id}.peer"));
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// Registers the bank whose card lies beside this one.
#[track_caller]
fn admit(bank: &Bank, id: &str) -> String {
    let (key, public) = (bank.dir().join("operator.key"), bank.dir().join("bank.pub"));
    let [key, public] = [&key, &public].map(|path| path.to_str().expect("UTF-8"));
    let server = format!("http://{}", bank.grpc());
    let arguments = ["peer", "admit", "--card", &beside(bank, id)];
    let named = ["--key", key, "--bank", public, "--server", &server];
    done(bank, &[&arguments[..], &named].concat())
}

/// Adds leaves to a log: one an institution.
async fn grow(bank: &Bank, names: &[&str]) -> u64 {
    let line = bank.operator().await;
    for name in names {
        let request = admission(&keys(name), v1::Role::Auditor, &[]);
        let created = line.registry().create_institution(request).await;
        created.expect("the operator admits institutions");
    }
    leaves(&line).await
}

/// The newest checkpoint of a log that the bank at this address has cosigned.
fn shown(http: SocketAddr, origin: &str) -> Option<String> {
    let answer = http::get(http, &format!("/cosigned?origin={origin}"));
    (answer.status == 200).then(|| text(answer))
}

fn text(answer: Answer) -> String {
    String::from_utf8(answer.body).expect("text")
}

fn size_of(note: &str) -> u64 {
    note.lines().nth(1).unwrap().parse().unwrap()
}

fn cosigner(card_of: &str, beside: &Bank) -> CosignerKey {
    let card = fs::read_to_string(self::beside(beside, card_of)).unwrap();
    let line = card.lines().find_map(|it| it.strip_prefix("cosigner = "));
    line.unwrap().trim_matches('"').parse().unwrap()
}

fn log_key(bank: &Bank) -> VerifierKey {
    let file = fs::read_to_string(bank.dir().join("bank.pub")).unwrap();
    file.trim().parse().unwrap()
}

/// The peers of a running bank, as `peer list` prints them, and its exit code.
fn list(bank: &Bank) -> (Value, Option<i32>) {
    let url = format!("http://{}", bank.http());
    let output = bank.run(&["peer", "list", "{dir}", "--http", &url, "--json"]);
    let rows = serde_json::from_slice(&output.stdout);
    let rows = rows.unwrap_or_else(|error| panic!("{error}: {}", told(&output)));
    (rows, output.status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_banks_cosign_each_other() {
    let mut pair = Pair::new();
    let size = grow(&pair.sh, &["one", "two"]).await;
    let note = pair.cosigned(size);
    let parsed = Note::parse(&note).unwrap();
    assert!(cosigner("jiangsu", &pair.sh).verify(&parsed).is_ok());
    let own = http::get(pair.sh.http(), "/checkpoint");
    let own = Checkpoint::open(&text(own), &log_key(&pair.sh)).unwrap();
    assert_eq!(Checkpoint::open(&note, &log_key(&pair.sh)).unwrap(), own);
    let both = until("both ways", || {
        let (rows, code) = list(&pair.sh);
        assert_eq!(code, Some(0));
        (rows[0]["cosigned_by"] == size && !rows[0]["cosigned"].is_null()).then_some(rows)
    });
    assert_eq!(
        (&both[0]["id"], &both[0]["origin"]),
        (&"jiangsu".into(), &JS.into())
    );
    assert_eq!(both[0]["stopped"], false);
    // What was promised outlives the process, and so does what was registered.
    pair.js.kill();
    pair.js.start();
    assert_eq!(shown(pair.js.http(), SH), Some(note));
    assert!(admit(&pair.js, "shanghai").contains("registered already"));
    let size = grow(&pair.sh, &["three"]).await;
    pair.cosigned(size);
    pair.sh.check_log();
    pair.js.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forked_log_is_caught_kept_as_evidence_and_refused() {
    let mut pair = Pair::new();
    pair.cosigned(2);
    let mut twin = {
        pair.sh.stop();
        pair.sh.twin()
    };
    twin.start();
    pair.sh.start();
    let size = grow(&pair.sh, &["one"]).await;
    let first = pair.cosigned(size);
    grow(&twin, &["other", "another"]).await;
    let path = format!("/evidence?origin={SH}");
    let evidence: Value = until("evidence", || {
        let answer = http::get(pair.js.http(), &path);
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).unwrap())
    });
    // Anybody with the log's public key convicts it, with nothing but the evidence.
    let key = log_key(&pair.sh);
    let open = |field: &str| Checkpoint::open(evidence[field].as_str().unwrap(), &key).unwrap();
    let (cosigned, other) = (open("cosigned"), open("shown"));
    let proof = evidence["proof"].as_array().unwrap().iter();
    let proof: Vec<Hash> = proof
        .map(|it| it.as_str().unwrap().parse().unwrap())
        .collect();
    let verified = verify_consistency(
        cosigned.size,
        &cosigned.root,
        other.size,
        &other.root,
        &proof,
    );
    assert!(matches!(verified, Err(ProofError::OldRootDiffers { .. })));
    assert_eq!(evidence["cosigned"], first);
    assert!(pair.js.said().contains("signed two histories"));
    // The bank is dealt with no more, by this process and the next.
    for restart in [false, true] {
        if restart {
            pair.js.stop();
            pair.js.start();
        }
        let request = AddCheckpoint {
            old: TreeSize::new(size),
            proof: Vec::new(),
            note: first.clone(),
        };
        let answer = http::post(pair.js.http(), "/add-checkpoint", &request.encode());
        assert_eq!(answer.status, 403);
        assert_eq!(http::get(pair.js.http(), &path).status, 200);
        assert_eq!(shown(pair.js.http(), SH).as_ref(), Some(&first));
        let (rows, code) = list(&pair.js);
        assert_eq!((&rows[0]["stopped"], code), (&true.into(), Some(1)));
    }
    // The second history learns from its peer that it is one, and signs no more of it.
    let mut registry = twin.operator().await.registry();
    let name = keys("third");
    let request = admission(&name, v1::Role::Auditor, &[]);
    until("a halt", || {
        twin.said()
            .contains("takes no changes any more")
            .then_some(())
    });
    let refused = registry.create_institution(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_restored_from_an_old_copy_does_not_start_while_a_peer_knows_better() {
    let mut pair = Pair::new();
    pair.cosigned(2);
    pair.sh.stop();
    pair.sh.backup("old");
    pair.sh.start();
    let size = grow(&pair.sh, &["one", "two", "three"]).await;
    pair.cosigned(size);
    pair.sh.stop();
    pair.sh.backup("newest");
    let restore = |sh: &Bank, name| ["db", "anchor"].map(|part| sh.restore(name, part));
    restore(&pair.sh, "old");
    let said = pair.sh.refuses_to_start();
    for wanted in [
        "the peer jiangsu",
        "3 acknowledged records are missing",
        "Restore",
    ] {
        assert!(said.contains(wanted), "{wanted:?} is not said in: {said}");
    }
    // Nobody to ask: it starts, and stops signing when it learns.
    pair.js.stop();
    pair.sh.start();
    assert!(pair.sh.said().contains("not asked"), "{}", pair.sh.said());
    pair.js.start();
    until("a halt", || {
        pair.sh
            .said()
            .contains("takes no changes any more")
            .then_some(())
    });
    let request = admission(&keys("four"), v1::Role::Auditor, &[]);
    let mut registry = pair.sh.operator().await.registry();
    let refused = registry.create_institution(request).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    pair.sh.stop();
    restore(&pair.sh, "newest");
    pair.sh.start();
    let size = grow(&pair.sh, &["four"]).await;
    pair.cosigned(size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_a_peer_has_outgrown_is_not_restored() {
    let mut pair = Pair::new();
    let size = grow(&pair.sh, &["one"]).await;
    pair.cosigned(size);
    back_up(&pair.sh, &[]);
    let size = grow(&pair.sh, &["two", "three"]).await;
    pair.cosigned(size);
    let target = target(&pair.sh);
    let restore = ["restore", target.to_str().expect("UTF-8"), "{dir}"];
    let other = elsewhere(&pair.sh);
    let output = other.run(&restore);
    let said = told(&output);
    for wanted in ["the peer jiangsu", "2 acknowledged records are missing"] {
        assert!(said.contains(wanted), "{wanted:?} is not said in: {said}");
    }
    assert!(!output.status.success() && !other.dir().join("db").exists());
    back_up(&pair.sh, &[]);
    pair.sh.stop();
    let said = done(&other, &restore);
    assert!(
        said.contains("1 of 1 show what they have cosigned"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_log_key_is_accepted_once_it_is_registered_and_until_it_is_revoked() {
    let mut pair = Pair::new();
    let size = grow(&pair.sh, &["one"]).await;
    pair.cosigned(size);
    pair.sh.stop();
    let old = fs::read_to_string(pair.sh.dir().join("secrets/log.key")).unwrap();
    let old = NoteSigner::from_secret_text(old.trim()).unwrap();
    let new = NoteSigner::new(SH, SigningKey::from_bytes(&[5; 32])).unwrap();
    fs::write(pair.sh.dir().join("secrets/log.key"), new.to_secret_text()).unwrap();
    fs::write(pair.sh.dir().join("bank.pub"), new.verifier().to_string()).unwrap();
    pair.sh.start();
    let size = grow(&pair.sh, &["two"]).await;
    until("a refusal", || {
        pair.sh.said().contains("status 403").then_some(())
    });
    // Its new card tells one key that is not registered yet; the pin stays the old one.
    let [grpc, http] = [pair.sh.grpc(), pair.sh.http()].map(|at| format!("http://{at}"));
    let arguments = ["peer", "card", "{dir}", "--id", "shanghai"];
    let named = ["--grpc", &grpc, "--http", &http];
    let card = done(&pair.sh, &[&arguments[..], &named].concat());
    fs::write(beside(&pair.js, "shanghai"), card).unwrap();
    assert!(admit(&pair.js, "shanghai").contains("1 keys are new"));
    let note = pair.cosigned(size);
    assert!(Checkpoint::open(&note, new.verifier()).is_ok());
    // In the overlap a checkpoint under the old key is taken too; after it none is.
    let text = format!("{}\n", note.split_once("\n\n").unwrap().0);
    let under = |signer: &NoteSigner, size| {
        let request = AddCheckpoint {
            old: TreeSize::new(size),
            proof: Vec::new(),
            note: signer.sign(&text).unwrap(),
        };
        add(&pair.js, &request).status
    };
    assert_eq!(under(&old, size), 200);
    revoke(&pair.js, old.verifier()).await;
    assert_eq!((under(&old, size), under(&new, size)), (403, 200));
    revoke(&pair.js, new.verifier()).await;
    assert_eq!(under(&new, size), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn peers_go_on_cosigning_while_keys_are_replaced() {
    let mut pair = Pair::new();
    let size = grow(&pair.sh, &["one"]).await;
    pair.cosigned(size);
    pair.sh.stop();
    for key in ["log", "bank", "cosign", "seal", "peer"] {
        done(&pair.sh, &["keys", "rotate", key, "{dir}"]);
    }
    // Jiangsu knows the old keys alone, and both sign.
    pair.sh.start();
    let size = grow(&pair.sh, &["two"]).await;
    pair.cosigned(size);
    pair.sh.stop();
    card(&mut pair.sh, "shanghai", &pair.js);
    assert!(admit(&pair.js, "shanghai").contains("5 keys are new"));
    for key in ["log", "bank", "cosign", "seal", "peer"] {
        done(&pair.sh, &["keys", "finish", key, "{dir}"]);
    }
    pair.sh.start();
    let size = grow(&pair.sh, &["three"]).await;
    pair.cosigned(size);
    // And the other way round: Shanghai cosigns under its new key.
    let size = grow(&pair.js, &["four"]).await;
    let note = until("a cosignature", || {
        let note = shown(pair.sh.http(), JS)?;
        (size_of(&note) == size).then_some(note)
    });
    let by = cosigner("shanghai", &pair.js);
    assert!(
        by.under(&Note::parse(&note).unwrap(), &log_key(&pair.js))
            .is_ok()
    );
    // A newcomer is told of the keys that signed before.
    pair.sh.stop();
    card(&mut pair.sh, "shanghai", &pair.js);
    let told = fs::read_to_string(beside(&pair.js, "shanghai")).unwrap();
    assert!(told.contains("former_sign = ["), "{told}");
    assert!(admit(&pair.js, "shanghai").contains("with all its keys"));
    pair.sh.check_log();
}

/// Revokes a log key of Shanghai.
async fn revoke(bank: &Bank, key: &VerifierKey) {
    let key = public_key(key.key().to_bytes(), KeyPurpose::Log);
    let mut registry = bank.operator().await.registry();
    let request = v1::GetInstitutionRequest {
        institution_id: "shanghai".into(),
    };
    let known = registry
        .get_institution(request)
        .await
        .unwrap()
        .into_inner();
    let found = known.keys.iter().find(|it| it.key.as_ref() == Some(&key));
    let request = v1::RevokeKeyRequest {
        institution_id: "shanghai".into(),
        key_id: found.expect("it is registered").key_id.clone(),
        doubtful_from: None,
    };
    registry.revoke_key(request).await.unwrap();
}

/// A log of the tests, which signs whatever it likes.
struct Log(NoteSigner);

impl Log {
    fn new(seed: u8) -> Self {
        Self(NoteSigner::new(SH, SigningKey::from_bytes(&[seed; 32])).unwrap())
    }

    fn request(&self, old: u64, size: u64, root: Hash, proof: &[Hash]) -> AddCheckpoint {
        let checkpoint = Checkpoint {
            origin: SH.into(),
            size: TreeSize::new(size),
            root,
        };
        AddCheckpoint {
            old: TreeSize::new(old),
            proof: proof.to_vec(),
            note: checkpoint.sign(&self.0).unwrap(),
        }
    }
}

/// A running bank whose peer `sh` is a log of the tests: pinned with one key, registered with others.
async fn witness(pinned: &Log, registered: &[&Log]) -> Bank {
    let mut js = Bank::made_as(JS, &[]);
    let settings = js.dir().join("bank.toml");
    let text = fs::read_to_string(&settings).unwrap();
    let peer = format!(
        "[[peer]]\nid = \"shanghai\"\ngrpc = \"http://127.0.0.1:1\"\nhttp = \"http://127.0.0.1:1\"\nlog_keys = [\"{}\"]\n",
        pinned.0.verifier()
    );
    fs::write(&settings, format!("{text}\n{peer}")).unwrap();
    js.start();
    let mut request = admission(&keys("shanghai"), v1::Role::PeerBank, &[]);
    let key = |log: &&Log| public_key(log.0.verifier().key().to_bytes(), KeyPurpose::Log);
    request.keys.extend(registered.iter().map(key));
    let mut registry = js.operator().await.registry();
    registry.create_institution(request).await.unwrap();
    js
}

fn add(js: &Bank, request: &AddCheckpoint) -> Answer {
    http::post(js.http(), "/add-checkpoint", &request.encode())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_checkpoint_needs_a_key_that_is_pinned_and_registered() {
    let (a, b) = (Log::new(1), Log::new(2));
    let root = leaf_hash(b"one");
    let js = witness(&a, &[&b]).await;
    assert_eq!(add(&js, &a.request(0, 1, root, &[])).status, 403, "pinned");
    assert_eq!(
        add(&js, &b.request(0, 1, root, &[])).status,
        403,
        "registered"
    );
    let js = witness(&a, &[&a, &b]).await;
    assert_eq!(
        add(&js, &b.request(0, 1, root, &[])).status,
        403,
        "one of two"
    );
    assert_eq!(add(&js, &a.request(0, 1, root, &[])).status, 200);
    // From then on the registry alone decides.
    assert_eq!(add(&js, &b.request(1, 1, root, &[])).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_witness_answers_as_the_specification_says() {
    let log = Log::new(1);
    let js = witness(&log, &[&log]).await;
    let (one, two) = (leaf_hash(b"one"), leaf_hash(b"two"));
    let both = node_hash(&one, &two);
    let other = NoteSigner::new("zj.test/log", SigningKey::from_bytes(&[1; 32])).unwrap();
    let unknown = AddCheckpoint {
        note: Checkpoint {
            origin: "zj.test/log".into(),
            size: TreeSize::new(1),
            root: one,
        }
        .sign(&other)
        .unwrap(),
        ..log.request(0, 1, one, &[])
    };
    assert_eq!(shown(js.http(), SH), None);
    let cases = [
        ("unknown", unknown, 404),
        ("the empty tree", log.request(0, 0, EMPTY_ROOT, &[]), 200),
        ("the first", log.request(0, 1, one, &[]), 200),
        ("again", log.request(1, 1, one, &[]), 200),
        ("old too large", log.request(2, 1, one, &[]), 400),
        ("stale", log.request(0, 2, both, &[]), 409),
        ("a wrong proof", log.request(1, 2, both, &[one]), 422),
        ("no proof", log.request(1, 2, both, &[]), 422),
        ("the second", log.request(1, 2, both, &[two]), 200),
        ("another signer", Log::new(3).request(2, 2, both, &[]), 403),
    ];
    for (what, request, status) in cases {
        let answer = add(&js, &request);
        assert_eq!(answer.status, status, "{what}");
        if status == 409 {
            assert!(answer.headers.contains("content-type: text/x.tlog.size"));
            assert_eq!(text(answer), "1\n");
        }
    }
    let long = "old 1\n".repeat(8_000);
    for (body, status) in [("", 400), ("old 1\n\nnothing", 400), (&long, 413)] {
        let answer = http::post(js.http(), "/add-checkpoint", body);
        assert_eq!(answer.status, status, "{:?}", &body[..body.len().min(20)]);
    }
    assert_eq!(http::get(js.http(), "/add-checkpoint").status, 405);
    assert_eq!(
        http::get(js.http(), "/evidence?origin=sh.test%2Flog").status,
        404
    );
    // The same size with another root: refused, and the end.
    assert_eq!(add(&js, &log.request(0, 2, one, &[])).status, 409);
    assert_eq!(add(&js, &log.request(2, 2, both, &[])).status, 403);
    assert_eq!(
        http::get(js.http(), "/evidence?origin=sh.test%2Flog").status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_roots_for_one_size_at_once_one_is_cosigned() {
    let log = Log::new(1);
    let js = witness(&log, &[&log]).await;
    let requests: Vec<_> = (0_u8..16)
        .map(|i| log.request(0, 1, leaf_hash(&[i]), &[]).encode())
        .collect();
    let http = js.http();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let post = |body| move || http::post(http, "/add-checkpoint", body).status;
        let asked: Vec<_> = requests.iter().map(|it| scope.spawn(post(it))).collect();
        asked.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let cosigned = answers.iter().filter(|status| **status == 200).count();
    assert_eq!(cosigned, 1, "{answers:?}");
}
