//! The desk over its port, before a ledger that knows nothing but whose key it is.

use std::net::SocketAddr;
use std::sync::Arc;

use creditbank_client::InstitutionKeys;
use creditbank_wire::v1;
use creditbank_wire::v1::registry_service_server::{RegistryService, RegistryServiceServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

use super::app::DeskOptions;
use super::serve_desk;
use crate::app::GatewayError;

/// A registry in which everybody has one role.
struct Registry(v1::Role);

/// Declares methods that the ledger of these tests does not have.
macro_rules! without {
    ($($name:ident($ask:ident) -> $answer:ident;)*) => {
        #[tonic::async_trait]
        impl RegistryService for Registry {
            async fn get_institution(
                &self,
                request: Request<v1::GetInstitutionRequest>,
            ) -> Result<Response<v1::Institution>, Status> {
                let profile = v1::InstitutionProfile {
                    institution_id: request.into_inner().institution_id,
                    display_name: "示例<b>博物馆".to_owned(),
                    role: self.0 as i32,
                    ..Default::default()
                };
                Ok(Response::new(v1::Institution {
                    profile: Some(profile),
                    ..Default::default()
                }))
            }
            $(async fn $name(
                &self,
                _: Request<v1::$ask>,
            ) -> Result<Response<v1::$answer>, Status> {
                Err(Status::unimplemented("not here"))
            })*
        }
    };
}

without! {
    create_institution(CreateInstitutionRequest) -> Institution;
    batch_create_institutions(BatchCreateInstitutionsRequest) -> BatchCreateInstitutionsResponse;
    list_institutions(ListInstitutionsRequest) -> ListInstitutionsResponse;
    suspend_institution(SuspendInstitutionRequest) -> Institution;
    set_permitted_categories(SetPermittedCategoriesRequest) -> Institution;
    add_key(AddKeyRequest) -> Institution;
    revoke_key(RevokeKeyRequest) -> Institution;
}

fn options(listen: &str, ledger: SocketAddr) -> DeskOptions {
    let institution = creditbank_domain::InstitutionId::parse("museum").expect("an id");
    let keys = InstitutionKeys::from_seeds(institution, &[1; 32], &[2; 32], &[3; 32]);
    DeskOptions {
        listen: listen.parse().expect("an address"),
        bank: creditbank_client::Options::new(format!("http://{ledger}"), "bank.example/log"),
        keys: Arc::new(keys),
        log_keys: None,
    }
}

async fn ledger(role: v1::Role) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let service = RegistryServiceServer::new(Registry(role));
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

/// A desk that serves, and a browser for it.
struct Browser {
    address: SocketAddr,
    /// What opens the desk.
    path: String,
    cookie: String,
    again: mpsc::Sender<()>,
    told: mpsc::Receiver<String>,
}

impl Browser {
    async fn new(role: v1::Role) -> Self {
        let options = options("127.0.0.1:0", ledger(role).await);
        let (again, asked) = mpsc::channel(1);
        let (teller, told) = mpsc::channel(4);
        let tell = move |address: &str| teller.try_send(address.to_owned()).expect("room");
        tokio::spawn(serve_desk(options, tell, asked, std::future::pending()));
        let mut browser = Self {
            address: ([127, 0, 0, 1], 0).into(),
            path: String::new(),
            cookie: String::new(),
            again,
            told,
        };
        browser.read_address().await;
        browser
    }

    async fn read_address(&mut self) {
        let told = self.told.recv().await.expect("an address");
        let rest = told.strip_prefix("http://").expect("an address");
        let (address, path) = rest.split_at(rest.find('/').expect("a path"));
        self.address = address.parse().expect("an address");
        self.path = path.to_owned();
    }

    /// Opens the desk with the address that was told.
    async fn enter(&mut self) {
        let answer = self.get(&self.path).await;
        assert_eq!(answer.status, 303);
        let cookie = answer.header("set-cookie").expect("a cookie");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        self.cookie = cookie.split(';').next().expect("a pair").to_owned();
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        self.send("POST", path, &[kind], form).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            request += &format!("host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        let cookie = &self.cookie;
        request += &format!(
            "cookie: {cookie}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut line = TcpStream::connect(self.address).await.expect("a desk");
        line.write_all(request.as_bytes()).await.expect("sent");
        let mut text = String::new();
        line.read_to_string(&mut text).await.expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok());
        Answer {
            status: status.expect("a status"),
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|it| it.split_once(": "));
        let mut found = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value)
    }

    /// What a form of this page carries.
    fn csrf(&self) -> &str {
        let at = self.body.split("name=\"csrf\" value=\"").nth(1);
        at.and_then(|it| it.split('"').next()).expect("a form")
    }
}

#[tokio::test]
async fn a_desk_opens_once_and_for_one_browser() {
    let mut browser = Browser::new(v1::Role::Institution).await;
    for path in ["/", "/scan", "/?token=", "/?token=AAAAAAAAAAAAAAAAAAAAAA"] {
        let outside = browser.get(path).await;
        assert_eq!(outside.status, 401, "{path}");
        assert!(outside.header("set-cookie").is_none(), "{path}");
        assert!(!outside.body.contains("/submissions"), "{path}");
    }
    browser.enter().await;
    let scan = browser.get("/scan").await;
    assert_eq!(scan.status, 200);
    assert!(scan.body.contains("博物馆") && !scan.body.contains("<b>"));
    assert_eq!(scan.header("cache-control"), Some("private, no-store"));

    // The address again, in another browser.
    let inside = std::mem::take(&mut browser.cookie);
    assert_eq!(browser.get(&browser.path.clone()).await.status, 401);
    browser.cookie = inside.clone();
    assert_eq!(browser.get("/").await.header("location"), Some("/scan"));

    // A new address closes the desk for the browser before.
    browser.again.send(()).await.expect("asked");
    browser.read_address().await;
    assert_eq!(browser.get("/scan").await.status, 200);
    browser.cookie = String::new();
    browser.enter().await;
    assert_ne!(browser.cookie, inside);
    assert_eq!(browser.get("/scan").await.status, 200);
    browser.cookie = inside;
    assert_eq!(browser.get("/scan").await.status, 401);
}

#[tokio::test]
async fn who_leaves_is_outside() {
    let mut browser = Browser::new(v1::Role::Institution).await;
    browser.enter().await;
    let scan = browser.get("/scan").await;
    let left = browser
        .post("/leave", &format!("csrf={}", scan.csrf()))
        .await;
    assert_eq!(left.status, 303);
    assert_eq!(browser.get("/scan").await.status, 401);
}

#[tokio::test]
async fn a_role_decides_which_pages_there_are() {
    let all = [
        "/scan",
        "/submissions",
        "/applications",
        "/projects",
        "/requests",
        "/institutions",
        "/window",
        "/health",
    ];
    let roles: [(v1::Role, &[&str]); 4] = [
        (
            v1::Role::Institution,
            &["/scan", "/submissions", "/applications", "/requests"],
        ),
        (v1::Role::Reviewer, &["/applications", "/projects"]),
        (
            v1::Role::Operator,
            &[
                "/scan",
                "/applications",
                "/projects",
                "/requests",
                "/institutions",
                "/window",
                "/health",
            ],
        ),
        (v1::Role::LearnerAgent, &["/scan", "/window"]),
    ];
    for (role, pages) in roles {
        let mut browser = Browser::new(role).await;
        browser.enter().await;
        let home = browser.get("/").await;
        let menu = browser.get(home.header("location").expect("a place")).await;
        for page in all {
            let there = browser.get(page).await.status != 404;
            assert_eq!(there, pages.contains(&page), "{page} of {role:?}");
            let shown = menu.body.contains(&format!("<a href=\"{page}\""));
            assert_eq!(shown, there, "{page} of {role:?} in the menu");
        }
    }
}

#[tokio::test]
async fn roles_without_a_counter_have_no_desk() {
    let without = [
        v1::Role::Gateway,
        v1::Role::Auditor,
        v1::Role::PeerBank,
        v1::Role::BackupAgent,
    ];
    for role in without {
        let options = options("127.0.0.1:0", ledger(role).await);
        let (_again, asked) = mpsc::channel(1);
        let refused = serve_desk(options, |_| panic!("open"), asked, std::future::pending()).await;
        assert!(matches!(refused, Err(GatewayError::Option(_))), "{role:?}");
    }
}

#[tokio::test]
async fn a_desk_listens_on_loopback_alone() {
    let nobody = ([127, 0, 0, 1], 9).into();
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let (_again, asked) = mpsc::channel(1);
        let options = options(listen, nobody);
        let refused = serve_desk(options, |_| panic!("open"), asked, std::future::pending()).await;
        let Err(GatewayError::Option(why)) = refused else {
            panic!("{listen} is open");
        };
        assert!(why.contains("loopback"), "{why}");
    }
}

#[tokio::test]
async fn forms_of_elsewhere_and_names_of_elsewhere_are_refused() {
    let mut browser = Browser::new(v1::Role::Operator).await;
    browser.enter().await;
    let csrf = browser.get("/window").await.csrf().to_owned();
    let form = "learner=1&purpose=1&days=90";
    for (form, status) in [
        (form.to_owned(), 403),
        (format!("csrf=x&{form}"), 403),
        // Right, and refused for the learner code that it names.
        (format!("csrf={csrf}&{form}"), 400),
    ] {
        assert_eq!(browser.post("/window/paper", &form).await.status, status);
    }
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let form = format!("csrf={csrf}&{form}");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("host", "evil.example"),
    ] {
        let headers = [kind, (name, value)];
        let answer = browser.send("POST", "/window/paper", &headers, &form).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    let rebound = browser
        .send("GET", "/window", &[("host", "evil.example:80")], "")
        .await;
    assert_eq!(rebound.status, 403);
}
