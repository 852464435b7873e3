//! Keys of banks in the registry: who has them, and which of them hold while one takes over from another.

use creditbank_domain::identifier::InstitutionId;
use creditbank_domain::record::{
    Algorithm, InstitutionProfile, KeyPurpose, PublicKey, Role, Statement,
};
use creditbank_domain::registry::Registry;
use creditbank_domain::{LeafIndex, Refusal};

fn key(seed: u8, purpose: KeyPurpose) -> PublicKey {
    let algorithm = match purpose {
        KeyPurpose::Seal => Algorithm::X25519,
        _ => Algorithm::Ed25519,
    };
    PublicKey {
        algorithm,
        bytes: [seed; 32],
        purpose,
    }
}

fn admitted(id: &str, role: Role, keys: Vec<PublicKey>) -> Statement {
    let profile = InstitutionProfile {
        id: InstitutionId::parse(id).unwrap(),
        display_name: id.into(),
        role,
        uscc: None,
        school_code: None,
        region: None,
    };
    Statement::InstitutionAdmitted {
        profile,
        keys,
        categories: Vec::new(),
    }
}

/// The keys that are there for a purpose at an index.
fn seeds(registry: &Registry, id: &str, purpose: KeyPurpose, at: u64) -> Vec<u8> {
    let keys = registry.keys_of(id, purpose, LeafIndex(at));
    keys.map(|key| key.bytes[0]).collect()
}

#[test]
fn a_key_for_packages_signs_nothing_and_a_signing_key_opens_none() {
    use KeyPurpose::{Authenticate, Cosign, Log, Seal, Sign};
    for purpose in [Authenticate, Sign, Log, Cosign, Seal] {
        assert_eq!(purpose.admits(Algorithm::Ed25519), purpose != Seal);
        assert_eq!(purpose.admits(Algorithm::X25519), purpose == Seal);
    }
    assert_eq!(Algorithm::of_signature(1), Ok(Algorithm::Ed25519));
    for number in [0, 2, 3] {
        let refused = Algorithm::of_signature(number);
        assert_eq!(
            refused,
            Err(Refusal::AlgorithmUnknown { algorithm: number })
        );
    }
}

#[test]
fn only_banks_have_keys_of_banks() {
    let registry = Registry::default();
    let check = |role, purpose| {
        let keys = vec![key(1, purpose)];
        registry.check(LeafIndex(1), &admitted("somebody", role, keys))
    };
    for purpose in [KeyPurpose::Log, KeyPurpose::Cosign, KeyPurpose::Seal] {
        assert_eq!(check(Role::PeerBank, purpose), Ok(()));
        assert_eq!(check(Role::Operator, purpose), Ok(()));
        for role in [
            Role::Institution,
            Role::Gateway,
            Role::Auditor,
            Role::BackupAgent,
        ] {
            assert_eq!(check(role, purpose), Err(Refusal::KeyWrongPurpose));
        }
    }
    assert_eq!(check(Role::Institution, KeyPurpose::Sign), Ok(()));
}

#[test]
fn both_keys_hold_between_the_entry_that_admits_one_and_that_which_revokes_the_other() {
    let mut registry = Registry::default();
    let sh = InstitutionId::parse("sh-bank").unwrap();
    let (old, new) = (key(1, KeyPurpose::Log), key(2, KeyPurpose::Log));
    let keys = vec![old.clone(), key(3, KeyPurpose::Cosign)];
    registry.apply(LeafIndex(1), &admitted("sh-bank", Role::PeerBank, keys));
    let institution = sh.clone();
    let further = Statement::KeyAdmitted {
        institution,
        key: new,
    };
    registry.apply(LeafIndex(5), &further);
    let revoked = Statement::KeyRevoked {
        institution: sh.clone(),
        key_id: old.id(),
        doubtful_from: None,
    };
    registry.apply(LeafIndex(9), &revoked);
    let cases = [
        (1, vec![]),
        (2, vec![1]),
        (5, vec![1]),
        (6, vec![1, 2]),
        (8, vec![1, 2]),
        (9, vec![2]),
    ];
    for (at, expected) in cases {
        assert_eq!(
            seeds(&registry, "sh-bank", KeyPurpose::Log, at),
            expected,
            "{at}"
        );
    }
    assert_eq!(seeds(&registry, "sh-bank", KeyPurpose::Cosign, 9), [3]);
    assert_eq!(seeds(&registry, "js-bank", KeyPurpose::Log, 9), []);
    let suspended = Statement::InstitutionSuspended {
        institution: sh,
        suspended: true,
    };
    registry.apply(LeafIndex(10), &suspended);
    assert_eq!(seeds(&registry, "sh-bank", KeyPurpose::Log, 11), []);
}
