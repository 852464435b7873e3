//! Sign-in at an OpenID Connect provider: authorisation code with PKCE, and nothing else.
//!
//! What the way back is held against (state, nonce, verifier) travels in a sealed cookie of the browser that began, so no
//! table of sign-ins is kept, and a link that somebody else began signs nobody in. The provider is found by discovery when it
//! is first needed, and again after a failure or when it has new keys: a gateway starts while its provider is down.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm as Alg};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientSecret, CsrfToken, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout,
    RedirectUrl, RequestTokenError, SignatureVerificationError, TokenResponse as _, reqwest,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::app::GatewayError;
use crate::clock;
use crate::options::Provider;
use crate::session::random_text;

/// How long a person may take at the provider.
pub(crate) const BEGUN_S: u64 = 15 * 60;
/// How far the provider's clock may be from ours.
const SKEW_S: u64 = 120;
/// How long an answer of the provider may take, and how many bytes it may have.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// What was discovered is discovered again after so long, and after a failure not sooner than this.
const FOUND_S: u64 = 3600;
const AGAIN_S: u64 = 5;
/// Signatures that are believed: no shared secrets, never `none`.
const ALGORITHMS: [Alg; 9] = [
    Alg::RsaSsaPkcs1V15Sha256,
    Alg::RsaSsaPkcs1V15Sha384,
    Alg::RsaSsaPkcs1V15Sha512,
    Alg::RsaSsaPssSha256,
    Alg::RsaSsaPssSha384,
    Alg::RsaSsaPssSha512,
    Alg::EcdsaP256Sha256,
    Alg::EcdsaP384Sha384,
    Alg::EdDsa,
];

/// Why nobody was signed in. Says nothing of what the provider or the browser sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignInError {
    /// The provider does not answer.
    #[error("the provider does not answer")]
    Unreachable,
    /// The provider does not take the code.
    #[error("the provider refused the code")]
    Code,
    /// The token is not what was asked for.
    #[error("the identity token does not verify: {0}")]
    Token(&'static str),
}

/// An account that the provider vouches for.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

/// What the way back is held against; travels in the browser's sealed cookie.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Begun {
    pub(crate) state: String,
    nonce: String,
    verifier: String,
    /// Where to go on afterwards.
    pub(crate) next: String,
    pub(crate) began_s: u64,
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// A provider as it was discovered.
struct Found {
    client: Client,
    end_session: Option<EndSessionUrl>,
    found_s: u64,
}

/// The provider of this gateway.
pub(crate) struct SignIn {
    provider: Provider,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    /// Where the provider leads after it was signed out of.
    home: PostLogoutRedirectUrl,
    http: Fetch,
    found: ArcSwapOption<Found>,
    /// When discovery last failed; held by whoever discovers.
    failed_s: Mutex<u64>,
}

impl SignIn {
    pub(crate) fn new(provider: &Provider, base_url: &str) -> Result<Self, GatewayError> {
        let wrong = |why: String| GatewayError::Option(format!("provider: {why}"));
        let url = |error: openidconnect::url::ParseError| wrong(error.to_string());
        let mut http = reqwest::Client::builder()
            // A redirect could lead anywhere inside the network that this process sees.
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_WITHIN)
            .no_proxy();
        if let Some(pem) = &provider.ca_pem {
            let authority = reqwest::Certificate::from_pem(pem);
            let authority = authority.map_err(|error| wrong(error.to_string()))?;
            http = http
                .tls_built_in_root_certs(false)
                .add_root_certificate(authority);
        }
        let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(url)?;
        let parsed = issuer.url();
        let is_safe = match parsed.scheme() {
            "https" => true,
            "http" => is_loopback(parsed),
            _ => false,
        };
        if !is_safe {
            return Err(wrong(
                "the issuer is https://…, or http on loopback".to_owned(),
            ));
        }
        Ok(Self {
            redirect: RedirectUrl::new(format!("{base_url}/sign-in/return")).map_err(url)?,
            home: PostLogoutRedirectUrl::new(format!("{base_url}/")).map_err(url)?,
            http: Fetch(http.build().map_err(|error| wrong(error.to_string()))?),
            provider: provider.clone(),
            issuer,
            found: ArcSwapOption::empty(),
            failed_s: Mutex::new(0),
        })
    }

    /// Begins a sign-in: where to lead the browser, and what it must bring back.
    pub(crate) async fn begin(&self, next: String) -> Result<(String, Begun), SignInError> {
        let found = self.found().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (random_text(), random_text());
        let (for_state, for_nonce) = (state.clone(), nonce.clone());
        let request = found.client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(for_state),
            move || Nonce::new(for_nonce),
        );
        let (url, _, _) = request.set_pkce_challenge(challenge).url();
        let begun = Begun {
            state,
            nonce,
            verifier: verifier.into_secret(),
            next,
            began_s: clock::now_s(),
        };
        Ok((url.into(), begun))
    }

    /// Ends it: the account behind a code.
    pub(crate) async fn end(&self, begun: Begun, code: String) -> Result<Account, SignInError> {
        let found = self.found().await?;
        let request = found.client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|_| SignInError::Unreachable)?;
        let answer = request
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request_async(&self.http)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(_) => SignInError::Unreachable,
                _ => SignInError::Code,
            })?;
        let nonce = Nonce::new(begun.nonce);
        match subject(&found.client, &answer, &nonce) {
            // The provider has new keys since it was discovered.
            Err(Fault::Key) => {
                let found = self.discover(Some(&found)).await?;
                subject(&found.client, &answer, &nonce)
            }
            told => told,
        }
        .map(|subject| Account {
            issuer: self.provider.issuer.clone(),
            subject,
        })
        .map_err(|fault| SignInError::Token(fault.told()))
    }

    /// Where to sign out of the provider too, as far as it is known and offered.
    pub(crate) fn end_session(&self) -> Option<String> {
        let endpoint = self.found.load().as_ref()?.end_session.clone()?;
        let request = LogoutRequest::from(endpoint)
            .set_client_id(ClientId::new(self.provider.client_id.clone()))
            .set_post_logout_redirect_uri(self.home.clone());
        Some(request.http_get_url().into())
    }

    /// Whether an answer says that it comes from this provider (RFC 9207).
    pub(crate) fn is_issuer(&self, said: &str) -> bool {
        said == self.provider.issuer
    }

    async fn found(&self) -> Result<Arc<Found>, SignInError> {
        match self.found.load_full() {
            Some(found) if clock::now_s() < found.found_s + FOUND_S => Ok(found),
            stale => self.discover(stale.as_ref()).await,
        }
    }

    /// Discovers the provider, once for all who wait; `stale` is what will not do any more.
    async fn discover(&self, stale: Option<&Arc<Found>>) -> Result<Arc<Found>, SignInError> {
        let mut failed_s = self.failed_s.lock().await;
        if let Some(found) = self.found.load_full()
            && stale.is_none_or(|it| !Arc::ptr_eq(it, &found))
        {
            return Ok(found);
        }
        let now_s = clock::now_s();
        if now_s < *failed_s + AGAIN_S {
            return Err(SignInError::Unreachable);
        }
        match ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http).await {
            Ok(metadata) => {
                let found = Arc::new(self.made(metadata, now_s));
                self.found.store(Some(Arc::clone(&found)));
                Ok(found)
            }
            Err(error) => {
                tracing::error!(%error, "the identity provider cannot be discovered");
                *failed_s = now_s;
                Err(SignInError::Unreachable)
            }
        }
    }

    fn made(&self, metadata: ProviderMetadataWithLogout, found_s: u64) -> Found {
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let id = ClientId::new(self.provider.client_id.clone());
        let secret = self.provider.client_secret.as_ref();
        let secret = secret.map(|it| ClientSecret::new(it.to_string()));
        let client = CoreClient::from_provider_metadata(metadata, id, secret);
        Found {
            client: client.set_redirect_uri(self.redirect.clone()),
            end_session,
            found_s,
        }
    }
}

fn is_loopback(url: &openidconnect::url::Url) -> bool {
    use openidconnect::url::Host;
    match url.host() {
        Some(Host::Ipv4(it)) => it.is_loopback(),
        Some(Host::Ipv6(it)) => it.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Why a token does not verify.
enum Fault {
    /// No key that is known signed it.
    Key,
    Other(&'static str),
}

impl Fault {
    fn told(&self) -> &'static str {
        match self {
            Self::Key => "signed by an unknown key",
            Self::Other(why) => why,
        }
    }
}

/// The subject that a verified token names.
fn subject(
    client: &Client,
    answer: &openidconnect::core::CoreTokenResponse,
    nonce: &Nonce,
) -> Result<String, Fault> {
    let token = answer.id_token().ok_or(Fault::Other("there is none"))?;
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(|| moment(clock::now_s().saturating_sub(SKEW_S)))
        .set_issue_time_verifier_fn(|issued| {
            let latest = moment(clock::now_s() + SKEW_S);
            (issued <= latest).then_some(()).ok_or_else(String::new)
        });
    let claims = token
        .claims(&verifier, nonce)
        .map_err(|error| fault(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let other = |_| Fault::Other("its access token cannot be checked");
        let algorithm = token.signing_alg().map_err(|_| Fault::Other("unsigned"))?;
        let key = token.signing_key(&verifier).map_err(other)?;
        let actual = AccessTokenHash::from_token(answer.access_token(), algorithm, key);
        let actual = actual.map_err(|_| Fault::Other("its access token cannot be checked"))?;
        if actual != *expected {
            return Err(Fault::Other("it belongs to another access token"));
        }
    }
    Ok(claims.subject().as_str().to_owned())
}

fn fault(error: &ClaimsVerificationError) -> Fault {
    use ClaimsVerificationError as Wrong;
    match error {
        Wrong::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Fault::Key,
        Wrong::SignatureVerification(_) => Fault::Other("wrong signature"),
        Wrong::Expired(_) => Fault::Other("expired, or of the future"),
        Wrong::InvalidAudience(_) => Fault::Other("for somebody else"),
        Wrong::InvalidIssuer(_) => Fault::Other("from somebody else"),
        Wrong::InvalidNonce(_) => Fault::Other("for another sign-in"),
        _ => Fault::Other("not of the expected form"),
    }
}

fn moment(seconds: u64) -> chrono::DateTime<chrono::Utc> {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    chrono::DateTime::from_timestamp(seconds, 0).unwrap_or(chrono::DateTime::<chrono::Utc>::MAX_UTC)
}

/// Why the provider did not answer.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("not reached")]
    Http(#[from] reqwest::Error),
    #[error("more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    #[error("not a message of HTTP")]
    Form(#[from] openidconnect::http::Error),
}

/// Asks the provider; its answers are bounded.
struct Fetch(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Fetch {
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, FetchError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

impl Fetch {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut made = openidconnect::http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            made = made.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&part);
        }
        Ok(made.body(body)?)
    }
}
