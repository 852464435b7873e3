//! The role that may have the bank copied may do nothing else, and strangers may ask only what is public: asked of every method
//! that there is, so that none is forgotten.

use std::fs;
use std::path::Path;

use creditbank_client::Refused;
use creditbank_wire::v1;
use creditbank_wire::{FILE_DESCRIPTOR_SET, Message as _};
use prost_types::FileDescriptorSet;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use crate::backup::{back_up, target};
use crate::bank::{Bank, told};
use crate::institution::{admission, keys};
use crate::tokens::{channel, token_of};

/// What a stranger may ask: what is public, and changes nothing.
const OPEN_TO_ALL: [(&str, &[&str]); 5] = [
    (
        "LogService",
        &[
            "GetCheckpoint",
            "GetLeaf",
            "ListEntries",
            "GetInclusionProof",
            "GetConsistencyProof",
            "GetReceipt",
        ],
    ),
    ("CredentialService", &["GetStatusList", "GetIssuer"]),
    ("RegistryService", &["GetInstitution", "ListInstitutions"]),
    (
        "RuleService",
        &["GetRuleSet", "ListRuleSets", "GetProject", "ListProjects"],
    ),
    ("StatisticsService", &["ListYearbooks", "GetYearbook"]),
];

/// Every method of the bank, by its path.
fn methods() -> Vec<String> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let files = files.file.iter();
    let services = files.flat_map(|file| file.service.iter().map(move |it| (file.package(), it)));
    let paths = services.flat_map(|(package, service)| {
        let path = move |method: &str| format!("/{package}.{}/{method}", service.name());
        service.method.iter().map(move |it| path(it.name()))
    });
    paths.collect()
}

/// Calls a method with an empty message, which on the wire is one of every type.
async fn call(channel: &Channel, path: &str, token: Option<&str>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("the bank answers");
    let codec = tonic_prost::ProstCodec::<v1::TakeCopyRequest, v1::TakeCopyRequest>::default();
    let path = path.parse().expect("a path");
    let mut request = Request::new(v1::TakeCopyRequest {});
    if let Some(token) = token {
        let header = format!("Bearer {token}").parse().expect("a header");
        request.metadata_mut().insert("authorization", header);
    }
    // What a stream answers comes as its first message, or as its end.
    let answer = client.server_streaming(request, path, codec).await?;
    answer.into_inner().message().await.map(drop)
}

/// Makes the keys of a backup agent and has the operator admit it, as an operator does.
#[track_caller]
pub(crate) fn backup_agent(bank: &Bank, key: &Path) {
    let (key, server) = (
        key.to_str().expect("UTF-8"),
        format!("http://{}", bank.grpc()),
    );
    let public = format!("{key}.pub");
    let register = "institution register backup-1 --name 备份 --role backup-agent --key {dir}/operator.key --bank {dir}/bank.pub";
    let register: Vec<&str> = register.split(' ').collect();
    for arguments in [
        vec!["keygen", "backup-1", "--output", key],
        [
            &register[..],
            &["--public-keys", &public, "--server", &server],
        ]
        .concat(),
    ] {
        let output = bank.run(&arguments);
        assert!(output.status.success(), "{}", told(&output));
    }
}

/// Registers a backup agent.
async fn admit(bank: &Bank, id: &str) {
    let request = admission(&keys(id), v1::Role::BackupAgent, &[]);
    let mut registry = bank.operator().await.registry();
    let admitted = registry.create_institution(request).await;
    admitted.expect("the operator admits it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_agent_has_the_bank_copied_and_is_refused_everything_else_that_needs_a_caller() {
    let mut bank = Bank::new();
    admit(&bank, "copier").await;
    let line = channel(&bank).await;
    let token = token_of("copier", "one");
    let (mut allowed, mut open, mut refused) = (Vec::new(), Vec::new(), 0);
    for path in methods() {
        let needs_caller = match call(&line, &path, None).await {
            Err(status) => status.code() == Code::Unauthenticated,
            Ok(()) => false,
        };
        let answer = call(&line, &path, Some(&token)).await;
        match (answer, needs_caller) {
            (_, false) => open.push(path),
            (Ok(()), true) => allowed.push(path),
            (Err(status), true) => {
                let code = Refused::new(status).code;
                assert_eq!(code.as_deref(), Some("PERMISSION_DENIED"), "{path}");
                refused += 1;
            }
        }
    }
    assert_eq!(allowed, ["/creditbank.v1.BackupService/TakeCopy"]);
    assert!(refused > 50, "{refused}");
    let readings = OPEN_TO_ALL.iter().flat_map(|(service, methods)| {
        let path = move |it: &&str| format!("/creditbank.v1.{service}/{it}");
        methods.iter().map(path)
    });
    assert_eq!(open, readings.collect::<Vec<_>>());
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_needs_no_operator() {
    let mut bank = Bank::new();
    let key = bank.beside().join("backup.key");
    backup_agent(&bank, &key);
    let away = bank.beside().join("operator.key");
    fs::rename(bank.dir().join("operator.key"), away).expect("it is there");
    back_up(&bank, &["--key", key.to_str().expect("UTF-8")]);
    let target = target(&bank);
    let verified = bank.run(&["backup", "verify", target.to_str().expect("UTF-8")]);
    assert!(verified.status.success(), "{}", told(&verified));
    bank.check_log();
}
