//! Runs a gateway for whoever works on its pages: `preview LISTEN BANK_URL BANK_ORIGIN GATEWAY_KEY [AGENT_KEY]`.
//! Signs in anybody, on loopback.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use creditbank_client::InstitutionKeys;
use creditbank_gateway::{Options, Recipient, serve};
use zeroize::Zeroizing;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, url, origin, key, rest @ ..] = &arguments[..] else {
        return Err("preview LISTEN BANK_URL BANK_ORIGIN GATEWAY_KEY [AGENT_KEY]".into());
    };
    let read = |path: &String| -> Result<_, Box<dyn std::error::Error>> {
        Ok(Arc::new(InstitutionKeys::parse(&std::fs::read_to_string(
            path,
        )?)?))
    };
    let options = Options {
        listen: listen.parse()?,
        base_url: format!("http://{listen}"),
        bank: creditbank_client::Options::new(url, origin),
        keys: read(key)?,
        agent: rest.first().map(read).transpose()?,
        recipients: vec![Recipient {
            origin: "js.creditbank.example/log".to_owned(),
            name_zh: "江苏学分银行（演示）".to_owned(),
            name_en: "Credit Bank of Jiangsu (demonstration)".to_owned(),
            contact: "025-0000 0000".to_owned(),
        }],
        log_url: String::new(),
        session_key: Zeroizing::new([7; 64]),
        provider: None,
        development_login: true,
        trusted_proxies: Vec::new(),
        connections_max: 256,
        client_requests_a_minute: 6000,
        learner_changes_a_minute: 600,
        fonts: PathBuf::from("/usr/share/fonts/opentype/noto"),
        session_idle: Duration::from_secs(3600),
        session_max: Duration::from_secs(12 * 3600),
    };
    serve(
        options,
        |address| println!("http://{address}"),
        std::future::pending(),
    )
    .await?;
    Ok(())
}
