// A certified identity provider on loopback, for the tests of sign-in. Anybody signs in as any account.
//
//   node provider.mjs REDIRECT_URI POST_LOGOUT_URI
//
// Prints `ready ISSUER`. Packages are found in the folder that NODE_MODULES_AT names.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_MODULES_AT}/package.json`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")).href);

const [redirect, home] = process.argv.slice(2);
const client = {
  client_id: "creditbank",
  client_secret: "a-secret-of-the-tests",
  redirect_uris: [redirect],
  post_logout_redirect_uris: [home],
  response_types: ["code"],
  grant_types: ["authorization_code"],
};

let handle = (_, response) => response.end();
const server = createServer((request, response) => handle(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [client],
    pkce: { required: () => true },
    cookies: { keys: ["of-the-tests"] },
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  });
  handle = provider.callback();
  console.log(`ready ${issuer}`);
});
