//! An institution of the tests: keys that can be told again from its name, a connection, and its records.

use std::sync::Arc;

use creditbank_client::receipt::Verified;
use creditbank_client::{
    Acknowledgement, Bank as Connection, ClientError, InstitutionKeys, RecordMaker, batch,
    learners, submit,
};
use creditbank_domain::record::{KeyPurpose, RecordRef};
use creditbank_domain::{InstitutionId, LeafIndex, LearnerCode};
use creditbank_wire::v1;
use sha2::{Digest, Sha256};

use crate::bank::Bank;
use crate::standards;

/// An admitted institution and its connection.
pub(crate) struct Institution {
    pub(crate) keys: Arc<InstitutionKeys>,
    pub(crate) line: Connection,
    pub(crate) maker: RecordMaker,
}

impl Institution {
    /// Registers it for degree courses and connects.
    pub(crate) async fn new(bank: &Bank, id: &str) -> Self {
        Self::admitted(bank, id, &[v1::Category::DegreeCourse]).await
    }

    /// Registers it for these categories, with a project for each that needs one, and connects.
    pub(crate) async fn admitted(bank: &Bank, id: &str, categories: &[v1::Category]) -> Self {
        let keys = Arc::new(keys(id));
        let admission = admission(&keys, v1::Role::Institution, categories);
        let mut registry = bank.operator().await.registry();
        registry
            .create_institution(admission)
            .await
            .expect("the operator admits institutions");
        let admitted = Self::known(bank, keys).await;
        standards::admit(bank, &admitted, categories).await;
        admitted
    }

    /// Connects one that is registered already.
    pub(crate) async fn known(bank: &Bank, keys: Arc<InstitutionKeys>) -> Self {
        let line = bank.connect(&keys).await;
        Self {
            maker: RecordMaker::new(&keys),
            keys,
            line,
        }
    }

    /// Its resource id.
    pub(crate) fn id(&self) -> &str {
        self.keys.institution().as_str()
    }

    /// Connects anew after the bank was started again.
    pub(crate) async fn reconnect(&mut self, bank: &Bank) {
        self.line = bank.connect(&self.keys).await;
    }

    /// Enrols a learner under a student number of its own.
    pub(crate) async fn enrol(&self, number: &str) -> LearnerCode {
        let enrolled = learners::enrol(&self.line, student(number))
            .await
            .expect("an institution enrols its students");
        LearnerCode::parse(&enrolled.learner).expect("the bank answers with a code")
    }

    /// A degree-course record of a learner.
    pub(crate) fn course(&self, key: &str, learner: LearnerCode) -> v1::SignedRecord {
        self.maker.outcome(key.as_bytes(), learner, course(key))
    }

    /// Signs records as a batch.
    pub(crate) fn sign(&self, records: Vec<v1::SignedRecord>) -> v1::SubmitBatchRequest {
        batch::sign(self.line.origin(), &self.keys, records).expect("1 to 1,024 records")
    }

    /// Signs and submits records.
    pub(crate) async fn submit(
        &self,
        records: Vec<v1::SignedRecord>,
    ) -> Result<Acknowledgement, ClientError> {
        submit::submit(&self.line, self.sign(records)).await
    }

    /// Deposits records that must all be created; verifies the answer offline and gives their places.
    pub(crate) async fn deposit(
        &self,
        bank: &Bank,
        records: Vec<v1::SignedRecord>,
    ) -> Vec<RecordRef> {
        let acknowledged = self.submit(records).await.expect("the batch is accepted");
        let refused = &acknowledged.response.refused;
        assert!(
            refused.is_empty() && acknowledged.response.duplicates.is_empty(),
            "{refused:?}"
        );
        self.verify(bank, &acknowledged)
            .records
            .iter()
            .map(place)
            .collect()
    }

    /// Verifies an acknowledgement with the bank's and the institution's public keys.
    pub(crate) fn verify(&self, bank: &Bank, acknowledged: &Acknowledgement) -> Verified {
        let mut verifier = bank.verifier();
        verifier
            .add_issuer(self.id(), &self.keys.public_keys()[0])
            .expect("a signing key");
        let verified =
            verifier.verify_acknowledgement(&acknowledged.request, &acknowledged.response);
        verified.unwrap_or_else(|error| panic!("{error}\n{}", error.report))
    }
}

/// Keys that follow from a name.
pub(crate) fn keys(id: &str) -> InstitutionKeys {
    let id_parsed = InstitutionId::parse(id).expect("a resource id");
    InstitutionKeys::from_seeds(
        id_parsed,
        &seed(id, "sign"),
        &seed(id, "authenticate"),
        &seed(id, "import"),
    )
}

/// The seed of one of those keys.
pub(crate) fn seed(id: &str, purpose: &str) -> [u8; 32] {
    Sha256::digest(format!("{id}/{purpose}")).into()
}

/// The request that admits an institution.
pub(crate) fn admission(
    keys: &InstitutionKeys,
    role: v1::Role,
    categories: &[v1::Category],
) -> v1::CreateInstitutionRequest {
    v1::CreateInstitutionRequest {
        profile: Some(v1::InstitutionProfile {
            institution_id: keys.institution().to_string(),
            display_name: format!("{} 学院", keys.institution()),
            role: role.into(),
            ..Default::default()
        }),
        keys: keys.public_keys(),
        categories: categories
            .iter()
            .map(|category| (*category).into())
            .collect(),
    }
}

/// A public key as the registry takes it.
pub(crate) fn public_key(bytes: [u8; 32], purpose: KeyPurpose) -> v1::PublicKey {
    let purpose = match purpose {
        KeyPurpose::Sign => v1::KeyPurpose::Sign,
        KeyPurpose::Authenticate => v1::KeyPurpose::Authenticate,
        KeyPurpose::Log => v1::KeyPurpose::Log,
        KeyPurpose::Cosign => v1::KeyPurpose::Cosign,
        KeyPurpose::Seal => v1::KeyPurpose::Seal,
        KeyPurpose::Credential => v1::KeyPurpose::Credential,
    };
    v1::PublicKey {
        algorithm: if purpose == v1::KeyPurpose::Seal {
            2
        } else {
            1
        },
        public_key: bytes.to_vec().into(),
        purpose: purpose.into(),
    }
}

/// An identity by student number of the caller.
pub(crate) fn student(number: &str) -> v1::EnrolLearnerRequest {
    let kind = v1::IdentityKind::StudentNumber.into();
    let identity = v1::Identity {
        kind,
        number: number.to_owned(),
        issuer: String::new(),
    };
    v1::EnrolLearnerRequest {
        identity: Some(identity),
        name: String::new(),
    }
}

/// A class for elders of which no session was missed.
pub(crate) fn attended() -> v1::outcome::Detail {
    v1::outcome::Detail::ElderCourse(v1::ElderCourse {
        attendance: Some(v1::Attendance {
            planned: 16,
            attended: 16,
        }),
        year: 2024,
        term: 50,
        ..Default::default()
    })
}

/// A degree course of three credits.
pub(crate) fn course(name: &str) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: String::new(),
            name: name.to_owned(),
        }),
        credits_hundredths: Some(300),
        hours_hundredths: Some(4800),
        grade: Some(v1::Grade {
            scheme: Some(v1::grade::Scheme::PercentageHundredths(8550)),
        }),
        completed_on: "2024-06-30".to_owned(),
        detail: Some(v1::outcome::Detail::DegreeCourse(v1::DegreeCourse {
            form: 31,
            stage: 20,
            year: 2024,
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// A visit of a museum, the smallest outcome there is.
pub(crate) fn visit(name: &str, completed_on: &str) -> v1::Outcome {
    v1::Outcome {
        achievement: Some(v1::Achievement {
            code: String::new(),
            name: name.to_owned(),
        }),
        hours_hundredths: Some(200),
        project: standards::project(v1::Category::VenueLearning),
        completed_on: completed_on.to_owned(),
        detail: Some(v1::outcome::Detail::VenueLearning(v1::VenueLearning {
            venue: "上海博物馆".to_owned(),
            activity: "参观".to_owned(),
            minutes: 90,
        })),
        ..Default::default()
    }
}

/// 16 digits, as messages carry a code.
pub(crate) fn digits(learner: LearnerCode) -> String {
    format!("{:016}", learner.as_u64())
}

/// Where a verified record lies.
pub(crate) fn place(record: &creditbank_client::receipt::VerifiedRecord) -> RecordRef {
    RecordRef {
        leaf_index: LeafIndex(record.leaf_index),
        leaf_hash: record.leaf_hash,
    }
}
