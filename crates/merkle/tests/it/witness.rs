//! What a witness is asked, and what it decides.

use creditbank_merkle::witness::{PROOF_LINES_MAX, REQUEST_BYTES_MAX, RequestError};
use creditbank_merkle::{
    AddCheckpoint, Checkpoint, Cosigned, EMPTY_ROOT, Hash, Nodes, NotCosigned, NoteSigner,
    TreeSize, VerifierKey, consistency_proof, leaf_hash, node_hash, root,
};
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use crate::notes::signer;

const ORIGIN: &str = "bank.example/log";

/// A log in memory, of leaves that differ from the `fork`-th on in another history.
struct Log(Vec<Hash>);

impl Log {
    fn new(size: u64, fork: u64) -> Self {
        let leaf = |i: u64| leaf_hash(format!("{i}{}", if i < fork { "" } else { "'" }).as_bytes());
        Self((0..size).map(leaf).collect())
    }

    fn at(&self, size: u64) -> Cosigned {
        let size = TreeSize::new(size);
        let Ok(root) = root(self, size);
        Cosigned { size, root }
    }

    fn request(&self, old: u64, size: u64) -> AddCheckpoint {
        let Cosigned { size, root } = self.at(size);
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size,
            root,
        };
        let Ok(proof) = consistency_proof(self, TreeSize::new(old.min(size.value())), size);
        AddCheckpoint {
            old: TreeSize::new(old),
            proof,
            note: checkpoint.sign(&signer(ORIGIN)).unwrap(),
        }
    }
}

impl Nodes for Log {
    type Error = std::convert::Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        if level == 0 {
            return Ok(self.0[index as usize]);
        }
        Ok(node_hash(
            &self.node(level - 1, 2 * index)?,
            &self.node(level - 1, 2 * index + 1)?,
        ))
    }
}

fn keys() -> Vec<VerifierKey> {
    vec![signer(ORIGIN).verifier().clone()]
}

fn decide(request: &AddCheckpoint, last: Option<&Cosigned>) -> Result<u64, NotCosigned> {
    let decided = request.decide(&keys(), last)?;
    assert_eq!(decided.1, request.note);
    Ok(decided.0.size.value())
}

#[test]
fn the_example_of_the_specification_is_read_and_written_alike() {
    let body = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        — example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";
    let request = AddCheckpoint::parse(body).unwrap();
    assert_eq!(
        (request.old, request.proof.len(), request.claimed_origin()),
        (TreeSize::new(20_852_014), 4, "example.com/behind-the-sofa")
    );
    assert_eq!(request.encode(), body);
}

#[test]
fn requests_out_of_form_are_refused() {
    let request = Log::new(9, 9).request(5, 9);
    let body = request.encode();
    let proof = format!("{EMPTY_ROOT}\n").repeat(PROOF_LINES_MAX);
    let with = |head: &str| format!("{head}\n{}", request.note);
    let cases = [
        (String::new(), RequestError::CheckpointMissing),
        ("old 5\n".into(), RequestError::CheckpointMissing),
        (body.replace("old 5", "old 05"), RequestError::OldSize),
        (body.replace("old 5", "old -5"), RequestError::OldSize),
        (body.replace("old 5", "old  5"), RequestError::OldSize),
        (body.replace("old 5", "new 5"), RequestError::OldSize),
        (with("old 5\nnothing\n"), RequestError::ProofLine(1)),
        (
            with(&format!("old 5\n{proof}{EMPTY_ROOT}\n")),
            RequestError::ProofTooLong,
        ),
        (" ".repeat(REQUEST_BYTES_MAX + 1), RequestError::TooLong),
    ];
    for (body, expected) in cases {
        assert_eq!(AddCheckpoint::parse(&body), Err(expected), "{body}");
    }
    assert!(AddCheckpoint::parse(&with(&format!("old 5\n{proof}"))).is_ok());
    let unsigned = body.split("\n— ").next().unwrap();
    assert!(matches!(
        AddCheckpoint::parse(unsigned),
        Err(RequestError::Note(_))
    ));
}

#[test]
fn a_witness_cosigns_what_continues_and_nothing_else() {
    let (log, fork) = (Log::new(20, 20), Log::new(20, 3));
    let last = log.at(6);
    let proofless = AddCheckpoint {
        proof: Vec::new(),
        ..log.request(6, 9)
    };
    let needless = AddCheckpoint {
        proof: vec![EMPTY_ROOT],
        ..log.request(0, 6)
    };
    let status = |request: &AddCheckpoint, last| decide(request, last).map_err(|it| it.status());
    let cases = [
        ("the first", log.request(0, 6), None, Ok(6)),
        ("a larger one", log.request(6, 9), Some(&last), Ok(9)),
        ("the same again", log.request(6, 6), Some(&last), Ok(6)),
        ("a stale size", log.request(4, 9), Some(&last), Err(409)),
        ("no size", log.request(0, 9), Some(&last), Err(409)),
        ("a smaller one", log.request(4, 5), Some(&last), Err(409)),
        ("old too large", log.request(9, 6), Some(&last), Err(400)),
        ("no proof", proofless, Some(&last), Err(422)),
        ("a proof of nothing", needless, None, Err(422)),
        ("a fork", fork.request(6, 9), Some(&last), Err(422)),
        ("a fork at once", fork.request(6, 6), Some(&last), Err(409)),
        ("a fork, stale", fork.request(2, 6), Some(&last), Err(409)),
    ];
    for (what, request, last, expected) in cases {
        assert_eq!(status(&request, last), expected, "{what}");
        let again = AddCheckpoint::parse(&request.encode()).unwrap();
        assert_eq!(again, request, "{what}");
    }
}

#[test]
fn a_conflict_tells_the_size_that_was_cosigned() {
    let log = Log::new(20, 20);
    let refused = decide(&log.request(0, 9), Some(&log.at(6)));
    let last = TreeSize::new(6);
    assert_eq!(refused, Err(NotCosigned::Conflict { last }));
}

#[test]
fn an_empty_tree_has_one_root() {
    let request = |root| AddCheckpoint {
        old: TreeSize::EMPTY,
        proof: Vec::new(),
        note: Checkpoint {
            origin: ORIGIN.into(),
            size: TreeSize::EMPTY,
            root,
        }
        .sign(&signer(ORIGIN))
        .unwrap(),
    };
    assert_eq!(decide(&request(EMPTY_ROOT), None), Ok(0));
    let refused = decide(&request(leaf_hash(b"")), None).unwrap_err();
    assert!(matches!(refused, NotCosigned::Proof(_)), "{refused:?}");
}

#[test]
fn only_trusted_keys_of_the_log_count() {
    let request = Log::new(9, 9).request(0, 9);
    let other = NoteSigner::new(ORIGIN, SigningKey::from_bytes(&[8; 32])).unwrap();
    let trusted = |keys: &[VerifierKey]| request.decide(keys, None).map(|_| ());
    assert_eq!(trusted(&keys()), Ok(()));
    assert_eq!(
        trusted(&[other.verifier().clone(), keys().remove(0)]),
        Ok(())
    );
    assert_eq!(
        trusted(&[other.verifier().clone()]),
        Err(NotCosigned::Signature)
    );
    assert_eq!(trusted(&[]), Err(NotCosigned::Signature));
    let cut = request.note.replace("\n9\n", "\n8\n");
    let changed = AddCheckpoint {
        note: cut,
        ..request
    };
    assert_eq!(
        changed.decide(&keys(), None).unwrap_err(),
        NotCosigned::Signature
    );
}

proptest! {
    /// Evidence convicts: a log that only grew is never accused, whatever it is asked to prove.
    #[test]
    fn an_honest_log_never_looks_forked(last in 0_u64..40, old in 0_u64..40, size in 0_u64..40, flip: Option<usize>) {
        let log = Log::new(40, 40);
        let mut request = log.request(old, size);
        if let Some(at) = flip.filter(|_| !request.proof.is_empty()) {
            let at = at % request.proof.len();
            request.proof[at] = leaf_hash(&request.proof[at].0);
        }
        let decided = decide(&request, Some(&log.at(last)));
        prop_assert!(!matches!(decided, Err(NotCosigned::Fork { .. })), "{decided:?}");
        if flip.is_none() {
            prop_assert_eq!(decided.is_ok(), old == last && last <= size);
        }
    }

    /// No checkpoint of a second history is cosigned; and unless the size that both had was a power of two, of which
    /// a proof holds no copy, the request itself is the evidence.
    #[test]
    fn a_forked_log_is_never_cosigned(last in 1_u64..40, fork: prop::sample::Index, more in 0_u64..40) {
        let (fork, size) = (fork.index(last as usize) as u64, last + more);
        let (log, other) = (Log::new(80, 80), Log::new(80, fork));
        match decide(&other.request(last, size), Some(&log.at(last))) {
            Err(NotCosigned::Fork { size: at, same_size }) => {
                prop_assert_eq!((at.value(), same_size), (last, last == size));
            }
            Err(NotCosigned::Proof(_)) => prop_assert!(last.is_power_of_two() && last < size),
            decided => prop_assert!(false, "{:?}", decided),
        }
    }

    #[test]
    fn hostile_requests_get_an_answer(text in "(old [0-9]{1,3}|\n|— |\\PC|=|[0-9A-Za-z]{4}){0,60}") {
        if let Ok(request) = AddCheckpoint::parse(&text) {
            prop_assert!(decide(&request, None).is_err());
        }
    }
}
