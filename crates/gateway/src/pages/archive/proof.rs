//! Whether a record is proved, found out for this page: its receipt is verified here as any stranger would verify it.

use creditbank_client::ClientError;
use creditbank_client::receipt::{LogKeys, Opening, Step, StepResult, Verifier};
use creditbank_wire::v1;

use crate::app::App;

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// It holds.
    Holds {
        /// Entries of the log that it was held against.
        tree_size: u64,
        /// Whether the institution's own signature was verified too.
        issuer_signed: bool,
    },
    /// It does not, and where.
    Fails { step: &'static str },
    /// The ledger did not give a receipt now.
    Absent,
}

/// Verifies a record: signature of its institution, the bank's signature, its place in the log, and that this is what it
/// committed to.
pub(super) async fn prove(app: &App, record: &v1::ArchiveRecord) -> Proof {
    let (receipt, issuer) = tokio::join!(app.proof(record.leaf_index), keys(app, &record.issuer));
    match receipt {
        Ok(receipt) => {
            let log_keys = app.log_keys_for(&receipt.checkpoint).await;
            check(log_keys, record, &receipt, &issuer)
        }
        Err(error) => {
            tracing::warn!(%error, "no receipt");
            Proof::Absent
        }
    }
}

/// The keys of an institution; those of the bank are not in the registry.
async fn keys(app: &App, issuer: &str) -> Vec<v1::PublicKey> {
    let found: Result<_, ClientError> = app.institution(issuer).await;
    let keys = found.map(|it| it.keys).unwrap_or_default();
    keys.into_iter().filter_map(|it| it.key).collect()
}

fn check(
    log_keys: LogKeys,
    record: &v1::ArchiveRecord,
    receipt: &v1::Receipt,
    keys: &[v1::PublicKey],
) -> Proof {
    let fails = |step: Step| Proof::Fails {
        step: step.label_zh(),
    };
    let mut verifier = Verifier::new(log_keys);
    for key in keys {
        // A key that is no key verifies nothing; then its signature counts as not checked.
        let _ = verifier.add_issuer(&record.issuer, key);
    }
    let opening = Opening {
        salt: &record.salt,
        payload: &record.payload,
    };
    let verified = match verifier.verify_receipt(receipt, Some(opening)) {
        Ok(verified) => verified,
        Err(error) => return fails(error.step),
    };
    let is_it = verified.records.iter().all(|it| {
        it.leaf_index == record.leaf_index
            && *it.issuer == *record.issuer
            && it.record_id.as_bytes()[..] == record.record_id
    });
    let Ok(checkpoint) = verifier.bank().open(&receipt.checkpoint) else {
        return fails(Step::Checkpoint);
    };
    if !is_it {
        return fails(Step::Inclusion);
    }
    Proof::Holds {
        tree_size: checkpoint.size.value(),
        issuer_signed: *verified.report.of(Step::IssuerSignature) == StepResult::Ok,
    }
}

#[cfg(test)]
mod tests {
    use creditbank_client::{InstitutionKeys, RecordMaker, batch};
    use creditbank_domain::{InstitutionId, LearnerCode};
    use creditbank_merkle::{Checkpoint, Edge, NoteSigner, leaf_hash};
    use creditbank_wire::Message as _;
    use creditbank_wire::convert::leaf::{LeafParts, encode_tail};
    use creditbank_wire::v1;
    use ed25519_dalek::SigningKey;

    use super::{LogKeys, Proof, check};

    const ORIGIN: &str = "bank.example/log";

    /// A record as an institution signs it and a log of one leaf keeps it: receipt, and the key of the log.
    fn logged() -> (v1::ArchiveRecord, v1::Receipt, Vec<v1::PublicKey>, String) {
        let keys = InstitutionKeys::generate(InstitutionId::parse("fudan").expect("an id"))
            .expect("random bytes");
        let learner = LearnerCode::from_random(7).expect("a number");
        let outcome = v1::Outcome {
            completed_on: "2026-05-01".into(),
            ..Default::default()
        };
        let record = RecordMaker::new(&keys).outcome(b"1", learner, outcome);
        let signed = batch::sign(ORIGIN, &keys, vec![record]).expect("one record");
        let sent = &signed.records[0];
        let envelope = v1::Envelope::decode(&sent.envelope[..]).expect("an envelope");
        let parts = LeafParts {
            envelope: &sent.envelope,
            key_id: signed.key_id[..].try_into().expect("32 bytes"),
            algorithm: signed.algorithm,
            batch_size: 1,
            batch_index: 0,
            path: &[],
            signature: &signed.signature,
        };
        let mut leaf = Vec::new();
        parts.encode_head(&mut leaf);
        encode_tail(1_782_867_600_000, &mut leaf);
        let signer = NoteSigner::new(ORIGIN, SigningKey::from_bytes(&[7; 32])).expect("a name");
        let mut edge = Edge::new();
        edge.append(&[leaf_hash(&leaf)]);
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: edge.size(),
            root: edge.root(),
        };
        let receipt = v1::Receipt {
            leaf: leaf.into(),
            leaf_index: 0,
            inclusion_proof: Vec::new(),
            checkpoint: checkpoint.sign(&signer).expect("signs"),
        };
        let archived = v1::ArchiveRecord {
            leaf_index: 0,
            issuer: "fudan".into(),
            record_id: envelope.record_id,
            payload: sent.payload.clone(),
            salt: sent.salt.clone(),
            ..Default::default()
        };
        let log_key = signer.verifier().to_string();
        (archived, receipt, keys.public_keys(), log_key)
    }

    #[test]
    fn a_proof_holds_and_no_other_record_can_borrow_it() {
        let (record, receipt, keys, log_key) = logged();
        let trusted = || log_key.parse::<LogKeys>().expect("a vkey");
        let holds = |issuer_signed| Proof::Holds {
            tree_size: 1,
            issuer_signed,
        };
        assert_eq!(check(trusted(), &record, &receipt, &keys), holds(true));
        assert_eq!(check(trusted(), &record, &receipt, &[]), holds(false));

        let fails = |record: &v1::ArchiveRecord, receipt: &v1::Receipt| {
            matches!(
                check(trusted(), record, receipt, &keys),
                Proof::Fails { .. }
            )
        };
        let mut other = record.clone();
        other.payload = [&record.payload[..], b"x"].concat().into();
        assert!(fails(&other, &receipt), "other content");
        let mut other = record.clone();
        other.leaf_index = 1;
        assert!(fails(&other, &receipt), "another place");
        let mut other = receipt.clone();
        let mut leaf = receipt.leaf.to_vec();
        let last = leaf.len() - 1;
        leaf[last] ^= 1;
        other.leaf = leaf.into();
        assert!(fails(&record, &other), "a changed leaf");
        let mut other = receipt.clone();
        other.checkpoint = receipt.checkpoint.replace("\n1\n", "\n2\n");
        assert!(fails(&record, &other), "a checkpoint that nobody signed");
    }
}
