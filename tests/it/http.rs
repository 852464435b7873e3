//! The public log over HTTP, read with nothing but a socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::bank::BOUND;

/// Status, headers and body of an answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

/// Gets one path.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, "")
}

/// Posts text to one path.
pub(crate) fn post(address: SocketAddr, path: &str, body: &str) -> Answer {
    ask(address, "POST", path, body)
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect_timeout(&address, BOUND).expect("the bank answers");
    stream.set_read_timeout(Some(BOUND)).expect("a bound");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream
        .write_all(request.as_bytes())
        .expect("the bank reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the bank answers");
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("headers end");
    let headers = String::from_utf8(answer[..end].to_vec())
        .expect("headers are text")
        .to_lowercase();
    assert!(
        !headers.contains("transfer-encoding"),
        "tiles have a length"
    );
    let status = headers
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status line");
    Answer {
        status,
        headers,
        body: answer.split_off(end + 4),
    }
}
