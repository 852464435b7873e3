//! Requests that are too many, too large or too slow, and what does not start at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Output;

use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::browser::{parse, raw};
use super::fixture::Scene;
use crate::bank::{BOUND, command, told};
use crate::operate::metrics::Told;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_too_often_waits_and_others_do_not() {
    let settings = "client_requests_a_minute = 50\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
    let scene = Scene::with(settings).await;
    let mut client = scene
        .browser()
        .with("X-Forwarded-For", "6.6.6.6, 198.51.100.7");
    let mut statuses = (0..60).map(|_| client.get("/v1/issuer").status);
    assert!(statuses.by_ref().take(45).all(|it| it == 200));
    let refused = statuses.find(|it| *it != 200);
    assert_eq!(refused, Some(429));
    let answer = client.get("/archive").is(429);
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|it| it > 0)
    );
    // What the client itself writes into the header makes it nobody else.
    let mut liar = scene
        .browser()
        .with("X-Forwarded-For", "1.2.3.4, 198.51.100.7");
    liar.get("/v1/issuer").is(429);
    let mut other = scene.browser().with("X-Forwarded-For", "203.0.113.9");
    other.get("/v1/issuer").is(200);
    // Where guessing would pay, a tenth.
    let mut guesser = scene.browser().with("X-Forwarded-For", "2001:db8:1:1::7");
    let tries = (0..8).map(|_| guesser.get("/sign-in").status);
    assert_eq!(tries.filter(|it| *it == 429).count(), 3);
    let mut neighbour = scene.browser().with("X-Forwarded-For", "2001:db8:1:1::8");
    neighbour.get("/sign-in").is(429);
    neighbour.get("/v1/issuer").is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_nobody_named_is_one_client_and_the_log_says_so_once() {
    let scene = Scene::with("client_requests_a_minute = 50\n").await;
    let mut statuses = Vec::new();
    for number in 0..60 {
        let named = format!("198.51.100.{number}");
        let mut client = scene.browser().with("X-Forwarded-For", &named);
        statuses.push(client.get("/v1/issuer").status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let said = scene.said();
    let warnings = said.matches("not among trusted_proxies").count();
    assert_eq!(warnings, 1, "{said}");
    assert!(said.contains("proxy=127.0.0.1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_learner_changes_only_so_much() {
    let settings = "client_requests_a_minute = 100000\nlearner_changes_a_minute = 3\n";
    let scene = Scene::with(settings).await;
    let mut browser = scene.signed_in(&scene.one);
    let asked = serde_json::json!({ "purpose": "totals" });
    let statuses: Vec<_> = (0..5)
        .map(|_| browser.send("POST", "/v1/me/code", &asked).status)
        .collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    scene
        .signed_in(&scene.other)
        .send("POST", "/v1/me/code", &asked)
        .is(200);
    browser.get("/v1/me").is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let scene = Scene::new().await;
    let mut browser = scene.signed_in(&scene.one);
    let token = browser.csrf();
    let large = vec![b'x'; 100 << 10];
    let mut with_token = browser.with("X-CSRF-Token", &token);
    with_token
        .ask("POST", "/v1/me/code", "application/json", &large)
        .is(413);
    with_token
        .ask(
            "POST",
            "/sign-out",
            "application/x-www-form-urlencoded",
            &large,
        )
        .is(413);
    let promised = format!(
        "POST /view HTTP/1.1\r\nHost: {}\r\nContent-Length: 99999999999\r\n\r\n",
        scene.address()
    );
    let mut stream = TcpStream::connect(scene.address()).expect("it listens");
    stream.set_read_timeout(Some(BOUND)).expect("a bound");
    stream.write_all(promised.as_bytes()).expect("it reads");
    let mut start = [0; 12];
    stream.read_exact(&mut start).expect("it answers");
    assert_eq!(&start, b"HTTP/1.1 413");
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Large: {}\r\n\r\n",
        "x".repeat(64 << 10)
    );
    assert_eq!(raw(scene.address(), head.as_bytes()).status, 431);
    let many = format!(
        "GET / HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(200)
    );
    assert_eq!(raw(scene.address(), many.as_bytes()).status, 431);
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(64 << 10));
    let refused = raw(scene.address(), path.as_bytes()).status;
    assert!([414, 431].contains(&refused), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_slow_is_not_waited_for_and_holds_nobody_up() {
    let scene = Scene::with("client_requests_a_minute = 100000\nconnections_max = 32\n").await;
    let mut browser = scene.signed_in(&scene.one);
    let token = browser.csrf();
    let open = |text: &str| {
        let mut stream = TcpStream::connect(scene.address()).expect("it listens");
        stream.set_read_timeout(Some(BOUND)).expect("a bound");
        stream.write_all(text.as_bytes()).expect("it reads");
        stream
    };
    let heads: Vec<_> = (0..16)
        .map(|_| open("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "))
        .collect();
    let body = format!(
        "POST /v1/me/code HTTP/1.1\r\nHost: {}\r\nCookie: session={}\r\nX-CSRF-Token: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        scene.address(),
        browser.cookies["session"]
    );
    let mut slow = open(&body);
    browser.get("/v1/me").is(200);
    let mut answer = vec![0; 4096];
    let read = slow.read(&mut answer).expect("an answer");
    assert_eq!(parse(&answer[..read]).status, 408);
    for mut stream in heads {
        // It may say that it waited too long, and ends.
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest));
    }
}

/// Waits until a gateway tells this of itself.
async fn counted(scene: &Scene, name: &str, value: f64) {
    let counts = async {
        while Told::of(scene.metrics()).get(name) < value {
            tokio::task::yield_now().await;
        }
    };
    let counted = timeout(BOUND, counts).await;
    counted.unwrap_or_else(|_| panic!("{name} does not become {value}"));
    assert_eq!(Told::of(scene.metrics()).get(name), value, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_every_connection_and_reads_nothing_holds_nobody_up() {
    let mut scene = Scene::before_gateway().await;
    scene.start(
        "client_requests_a_minute = 100000\nconnections_max = 24\nconnections_of_client_max = 16\nwrite_timeout_s = 1\n",
        &["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--development-login"],
    );
    // Another client than the tests' browsers, with room for little of an answer.
    let connect = || async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("small buffers");
        let from = "127.0.0.2:0".parse().expect("an address");
        socket.bind(from).expect("an address of loopback");
        let stream = socket.connect(scene.address()).await;
        let stream = stream.expect("it listens").into_std().expect("a socket");
        stream.set_nonblocking(false).expect("a socket");
        stream
    };
    let mut greedy = Vec::new();
    for _ in 0..64 {
        greedy.push(connect().await);
    }
    counted(&scene, "creditbank_gateway_connections_refused_total", 48.0).await;
    scene.signed_in(&scene.one).get("/archive").is(200);
    let page = format!(
        "GET /verify/offline.html HTTP/1.1\r\nHost: {}\r\n\r\n",
        scene.address()
    );
    let pages = page.repeat(200);
    for stream in &mut greedy {
        // Whoever was refused is told by an error.
        drop(stream.write_all(pages.as_bytes()));
    }
    scene.signed_in(&scene.one).get("/archive").is(200);
    counted(&scene, "creditbank_gateway_connections_unread_total", 16.0).await;
    // There is room again for whoever reads.
    let mut again = connect().await;
    again.set_read_timeout(Some(BOUND)).expect("a bound");
    again.write_all(page.as_bytes()).expect("it reads");
    let mut start = [0; 12];
    again.read_exact(&mut start).expect("it answers");
    assert_eq!(&start, b"HTTP/1.1 200");
    drop(greedy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let scene = Scene::new().await;
    let host = format!("Host: {}\r\n", scene.address());
    let bodiless = "Content-Length: 0\r\n";
    for (line, headers, status) in [
        ("GET / HTTP/1.1", host.clone(), 200),
        ("GET / HTTP/1.1", host.repeat(2), 400),
        (
            "GET / HTTP/1.1",
            format!("{host}Host: evil.example\r\n"),
            400,
        ),
        ("GET / HTTP/1.1", String::new(), 400),
        ("GET / HTTP/1.1", "Host: \r\n".to_owned(), 400),
        ("GET / HTTP/1.1", "Host: a, b\r\n".to_owned(), 400),
        ("GET / HTTP/1.1", format!("Host : x\r\n{host}"), 400),
        ("GET / HTTP/1.1", format!("{host}A: b\r\n c\r\n"), 400),
        ("GET / HTTP/1.1", format!("{host}A: b\0c\r\n"), 400),
        (
            "POST /view HTTP/1.1",
            format!("{host}{bodiless}Content-Length: 1\r\n"),
            400,
        ),
        (
            "POST /view HTTP/1.1",
            format!("{host}Content-Length: +0\r\n"),
            400,
        ),
        (
            "POST /view HTTP/1.1",
            format!("{host}Transfer-Encoding: gzip\r\n"),
            400,
        ),
        (
            "POST /view HTTP/1.0",
            format!("{host}Transfer-Encoding: chunked\r\n"),
            400,
        ),
    ] {
        let request = format!("{line}\r\n{headers}Connection: close\r\n\r\n");
        let answer = raw(scene.address(), request.as_bytes());
        assert_eq!(answer.status, status, "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_development_login_is_for_loopback_alone() {
    let scene = Scene::before_gateway().await;
    let file = scene.configure("");
    let run = |arguments: &[&str]| -> Output {
        let mut it = command();
        it.arg("gateway").arg(&file).args(arguments);
        it.output().expect("the binary was built")
    };
    for (arguments, why) in [
        (
            &["--listen", "0.0.0.0:0", "--development-login"][..],
            "loopback alone",
        ),
        (&["--listen", "0.0.0.0:0"], "base_url"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", told(&output));
        assert!(told(&output).contains(why), "{}", told(&output));
    }
    for (settings, why) in [
        (
            "base_url = \"https://bank.example\"\n",
            "base_url is elsewhere",
        ),
        ("base_url = \"http://bank.example\"\n", "https://HOST"),
        (
            "base_url = \"https://bank.example/path\"\n",
            "without a path",
        ),
        ("log_url = \"https://x\"\n", "log_url"),
        ("nonsense = 1\n", "nonsense"),
        (
            "[provider]\nissuer = \"http://id.example\"\nclient_id = \"x\"\n",
            "issuer",
        ),
    ] {
        let text = std::fs::read_to_string(scene.configure("")).expect("written");
        let kept = text
            .lines()
            .filter(|line| !settings.starts_with(line.split(' ').next().unwrap()));
        let text = kept.collect::<Vec<_>>().join("\n");
        std::fs::write(&file, format!("{text}\n{settings}")).expect("room");
        let output = run(&["--listen", "127.0.0.1:0", "--development-login"]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{settings}: {}",
            told(&output)
        );
        assert!(told(&output).contains(why), "{settings}: {}", told(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_flag_there_is_no_development_login() {
    let mut scene = Scene::before_gateway().await;
    scene.start("", &["--listen", "127.0.0.1:0"]);
    let mut browser = scene.browser();
    browser
        .post("/sign-in/development", &[("learner", &scene.one.code)])
        .is(404);
    browser
        .post("/sign-in/development", &[("learner", "nonsense")])
        .is(404);
    let page = browser.get("/sign-in").is(200).text();
    assert!(
        !page.contains("development") && !page.contains("name=\"learner\""),
        "{page}"
    );
    scene.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_starts_before_its_ledger_serves_once_that_answers() {
    let mut scene = Scene::before_ledger().await;
    let lines = scene.launch(&["--listen", "127.0.0.1:0", "--development-login"]);
    let waits = async {
        while !scene.said().contains("does not answer yet") {
            tokio::task::yield_now().await;
        }
    };
    timeout(BOUND, waits).await.expect("it says that it waits");
    scene.bank.start();
    scene.ready(&lines);
    scene.signed_in(&scene.one).get("/archive").is(200);
}
