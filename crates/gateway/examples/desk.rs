//! Runs a desk for whoever works on its pages: `desk LISTEN BANK_URL BANK_ORIGIN KEY`. Prints the address that opens it.

use std::sync::Arc;

use creditbank_client::InstitutionKeys;
use creditbank_gateway::{DeskOptions, serve_desk};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, url, origin, key] = &arguments[..] else {
        return Err("desk LISTEN BANK_URL BANK_ORIGIN KEY".into());
    };
    let options = DeskOptions {
        listen: listen.parse()?,
        bank: creditbank_client::Options::new(url, origin),
        keys: Arc::new(InstitutionKeys::parse(&std::fs::read_to_string(key)?)?),
        bank_key: None,
    };
    let (_again, never) = tokio::sync::mpsc::channel(1);
    let tell = |address: &str| println!("{address}");
    serve_desk(options, tell, never, std::future::pending()).await?;
    Ok(())
}
