//! Public keys on the wire.

use creditbank_domain::Refusal;
use creditbank_wire::convert::record::{public_key, public_key_message};
use creditbank_wire::v1;

fn message(algorithm: u32, purpose: v1::KeyPurpose) -> v1::PublicKey {
    v1::PublicKey {
        algorithm,
        public_key: vec![7; 32].into(),
        purpose: purpose.into(),
    }
}

#[test]
fn a_key_comes_back_and_one_whose_algorithm_is_not_for_its_purpose_is_refused() {
    use v1::KeyPurpose::{Authenticate, Cosign, Log, Seal, Sign};
    for (algorithm, purpose) in [
        (1, Authenticate),
        (1, Sign),
        (1, Log),
        (1, Cosign),
        (2, Seal),
    ] {
        let right = message(algorithm, purpose);
        assert_eq!(
            public_key(&right).map(|key| public_key_message(&key)),
            Ok(right)
        );
        let wrong = public_key(&message(3 - algorithm, purpose));
        assert_eq!(wrong, Err(Refusal::Inconsistent { with: "algorithm" }));
    }
    let unknown = public_key(&message(3, Seal));
    assert_eq!(unknown, Err(Refusal::AlgorithmUnknown { algorithm: 3 }));
}
