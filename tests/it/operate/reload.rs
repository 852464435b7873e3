//! A certificate and settings are read again on SIGHUP: open connections stay, new ones see what is new, and what cannot be
//! used changes nothing.

use std::fs;
use std::path::Path;

use creditbank_client::{Bank as Connection, Options, RetryPolicy};
use creditbank_wire::v1;

use super::now;
use crate::bank::{BOUND, Bank, ORIGIN, command, signal, told};
use crate::gateway::browser::Browser;
use crate::gateway::fixture::Scene;

/// Writes a new certificate for `localhost`; gives it as an authority to trust.
pub(super) fn certify(folder: &Path) -> String {
    let certified =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    fs::write(
        folder.join("tls.key"),
        certified.signing_key.serialize_pem(),
    )
    .expect("room");
    fs::write(folder.join("tls.pem"), certified.cert.pem()).expect("room");
    certified.cert.pem()
}

pub(super) const TLS: &str = "tls_certificate = \"tls.pem\"\ntls_key = \"tls.key\"\n";

/// Sends SIGHUP and waits until the log says what came of it; gives what it said since.
pub(super) fn reload(process: u32, log: impl Fn() -> String) -> String {
    let before = log().len();
    signal(process, "HUP");
    let began = now();
    loop {
        let said = log().split_off(before);
        if said.contains("reloaded") || said.contains("reloading failed") {
            return said;
        }
        assert!(began.elapsed() < BOUND, "nothing came of SIGHUP: {said}");
        std::thread::yield_now();
    }
}

async fn connect(bank: &Bank, authority: &str) -> Option<Connection> {
    let options = Options {
        ca_pem: Some(authority.as_bytes().to_vec()),
        retry: RetryPolicy::NEVER,
        ..Options::new(format!("https://localhost:{}", bank.grpc().port()), ORIGIN)
    };
    Connection::connect(options, None).await.ok()
}

async fn answers(line: &Connection) -> bool {
    line.log()
        .get_checkpoint(v1::GetCheckpointRequest {})
        .await
        .is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_takes_a_new_certificate_without_a_restart() {
    let mut bank = Bank::made();
    let first = certify(&bank.dir());
    let settings = bank.dir().join("bank.toml");
    let written = fs::read_to_string(&settings).expect("init wrote it");
    fs::write(&settings, format!("{TLS}{written}")).expect("room");
    bank.start();
    let plain = Connection::connect(bank.options(), None)
        .await
        .expect("a port");
    let answer = plain
        .call((), |line, _| async move {
            line.log().get_checkpoint(v1::GetCheckpointRequest {}).await
        })
        .await;
    let said = answer.expect_err("it speaks TLS").to_string();
    assert!(said.contains("begins with https"), "{said}");
    let open = connect(&bank, &first).await.expect("the first certificate");
    let second = certify(&bank.dir());
    let said = reload(bank.process(), || bank.said());
    assert!(said.contains("is_new=true"), "{said}");
    assert!(answers(&open).await, "an open connection stays");
    assert!(
        connect(&bank, &first).await.is_none(),
        "the first certificate has gone"
    );
    let later = connect(&bank, &second)
        .await
        .expect("the second certificate");
    // A key that does not belong to the certificate, then no certificate at all.
    let key = bank.dir().join("tls.key");
    let right = fs::read_to_string(&key).expect("it was written");
    let other =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    for (broken, what) in [
        (
            other.signing_key.serialize_pem(),
            "no certificate and its key",
        ),
        ("nothing\n".to_owned(), "no private key"),
    ] {
        fs::write(&key, broken).expect("room");
        let said = reload(bank.process(), || bank.said());
        assert!(
            said.contains("reloading failed") && said.contains(what),
            "{said}"
        );
        assert!(
            connect(&bank, &second).await.is_some(),
            "the one before still serves"
        );
    }
    // A pair that has run out: callers would refuse it.
    let chain = fs::read_to_string(bank.dir().join("tls.pem")).expect("it was written");
    let mut wanted = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    wanted.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let expired = wanted
        .self_signed(&other.signing_key)
        .expect("a certificate");
    fs::write(&key, other.signing_key.serialize_pem()).expect("room");
    fs::write(bank.dir().join("tls.pem"), expired.pem()).expect("room");
    let said = reload(bank.process(), || bank.said());
    assert!(
        said.contains("reloading failed") && said.contains("ran out"),
        "{said}"
    );
    assert!(
        connect(&bank, &second).await.is_some(),
        "the one before still serves"
    );
    fs::write(bank.dir().join("tls.pem"), chain).expect("room");
    fs::write(&key, right).expect("room");
    // Settings: one that is taken, one that needs a restart, one that is wrong.
    fs::write(
        &settings,
        format!("{TLS}log = \"debug\"\nblock_cache_mib = 100\n{written}"),
    )
    .expect("room");
    let said = reload(bank.process(), || bank.said());
    assert!(
        said.contains("is taken") && said.contains("key=log"),
        "{said}"
    );
    assert!(
        said.contains("needs a restart") && said.contains("key=block_cache_mib"),
        "{said}"
    );
    fs::write(&settings, "no_such_key = 1\n").expect("room");
    let said = reload(bank.process(), || bank.said());
    assert!(said.contains("bank.toml:1: no_such_key"), "{said}");
    assert!(answers(&open).await && answers(&later).await);
    fs::write(&settings, written).expect("room");
    drop((open, later));
    bank.check_log();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_takes_a_new_certificate_without_a_restart() {
    let mut scene = Scene::before_gateway().await;
    fs::create_dir_all(scene.web()).expect("a folder");
    let first = certify(&scene.web());
    scene.start(TLS, &["--listen", "127.0.0.1:0", "--development-login"]);
    let fetch = |authority: &str| tls_get(scene.address(), authority, "/healthz");
    assert!(fetch(&first).is_some_and(|it| it.starts_with("HTTP/1.1 200")));
    let second = certify(&scene.web());
    let said = reload(scene.process(), || scene.said());
    assert!(said.contains("is_new=true"), "{said}");
    assert!(fetch(&first).is_none(), "the first certificate has gone");
    assert!(fetch(&second).is_some_and(|it| it.starts_with("HTTP/1.1 200")));
}

/// Runs `keys` of a stopped bank.
fn keys(bank: &Bank, arguments: &[&str]) {
    let output = bank.run(&[&["keys"], arguments, &["log", "{dir}"]].concat());
    assert!(output.status.success(), "{}", told(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_follows_the_keys_of_its_bank_without_a_restart() {
    let mut scene = Scene::before_gateway().await;
    scene.bank.settle();
    scene.bank.stop();
    scene.bank.start();
    scene.start("", &["--listen", "127.0.0.1:0", "--development-login"]);
    let mut browser = scene.signed_in(&scene.one);
    let page = format!("/archive/{}", scene.one.leaves[0]);
    let served = |browser: &mut Browser| {
        let issuer = browser.get("/v1/issuer").is(200).json();
        let served = issuer["log_keys"].as_array().expect("a list").clone();
        served
            .iter()
            .map(|it| format!("{}\n", it.as_str().expect("text")))
            .collect::<String>()
    };
    let listed =
        |scene: &Scene| fs::read_to_string(scene.bank.dir().join("bank.pub")).expect("it is there");
    assert_eq!(served(&mut browser), listed(&scene));
    for by_signal in [false, true] {
        scene.bank.stop();
        keys(&scene.bank, &["rotate"]);
        keys(&scene.bank, &["finish"]);
        scene.bank.start();
        if by_signal {
            let said = reload(scene.process(), || scene.said());
            assert!(said.contains("reloaded"), "{said}");
        } else {
            // The checkpoint of this proof is signed by a key that the gateway has not heard of.
            let page = browser.get(&page).is(200).text();
            assert!(page.contains("id=\"proof-holds\""), "{page}");
        }
        let listed = listed(&scene);
        assert_eq!(served(&mut browser), listed);
        let hash = listed.split('+').nth(1).expect("the newest key has a hash");
        let verify = browser.get("/verify").is(200).text();
        assert!(verify.contains(hash), "{verify}");
    }
    let text = browser.get(&page).is(200).text();
    assert!(text.contains("id=\"proof-holds\""), "{text}");
    // Another bank's key leads nowhere, and everything stays as it was.
    let other = Bank::made();
    let pinned = scene.web().join("bank.pub");
    fs::copy(other.dir().join("bank.pub"), &pinned).expect("room");
    let said = reload(scene.process(), || scene.said());
    assert!(
        said.contains("reloading failed") && said.contains("none of the known keys"),
        "{said}"
    );
    assert_eq!(served(&mut browser), listed(&scene));
    scene.stop();
    let refused = command()
        .arg("gateway")
        .arg(scene.web().join("gateway.toml"))
        .output();
    let refused = refused.expect("the binary was built");
    assert_eq!(refused.status.code(), Some(2), "{}", told(&refused));
    assert!(
        told(&refused).contains("none of the known keys"),
        "{}",
        told(&refused)
    );
}

/// Gets a path over TLS from whoever the authority vouches for.
pub(super) fn tls_get(
    address: std::net::SocketAddr,
    authority: &str,
    path: &str,
) -> Option<String> {
    use std::io::{Read as _, Write as _};

    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(authority.as_bytes());
    roots
        .add(certificate.expect("a certificate"))
        .expect("an authority");
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().expect("a name");
    let mut session = rustls::ClientConnection::new(config.into(), name).expect("a session");
    let mut socket = std::net::TcpStream::connect(address).expect("the gateway listens");
    socket.set_read_timeout(Some(BOUND)).expect("a bound");
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    // The end of the stream is told by the gateway's answer, not by TLS alone.
    drop(stream.read_to_string(&mut answer));
    (!answer.is_empty()).then_some(answer)
}
