// Credentials through verifiers that are not ours: @digitalbazaar/vc for eddsa-rdfc-2022 and for status lists, jsonld.js for
// canonical RDF, canonicalize and Node's own Ed25519 for eddsa-jcs-2022.
//
//   node --input-type=module --eval "$(cat verify.mjs)" CONTEXTS < cases > verdicts
//
// run where the packages are, since modules are looked for beside whoever imports them.
//
// A case is one line of JSON: {"name", "what", "credential", "now"?, "list"?}; its verdict is one line as well:
//   what "verify": {"name", "rdfc": true or why not, "jcs": true or why not}
//   what "status": {"name", "status": true where the credential is not revoked by the list, or why not}
//   what "nquads": {"name", "nquads"} of the credential without its proofs
//   what "jcs":    {"name", "jcs"}, its canonical JSON
// CONTEXTS is the folder of the contexts as published. Nothing is fetched. A CLR is verified with every credential in it.

import {createHash, createPublicKey, verify as verifySignature} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import canonicalize from 'canonicalize';
import jsonld from 'jsonld';

const contexts = process.argv.at(-1);

const PUBLISHED = {
  'https://www.w3.org/ns/credentials/v2': 'credentials-v2.json',
  'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json': 'open-badges-3.0.3.json',
  'https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json': 'clr-2.0.1.json',
};
const DOCUMENTS = Object.fromEntries(
  Object.entries(PUBLISHED).map(([url, file]) => [url, JSON.parse(readFileSync(join(contexts, file), 'utf8'))]));

// Contexts, and DID documents of did:key; nothing else exists.
const loader = lists => async url => {
  const found = document => ({contextUrl: null, documentUrl: url, document});
  if(DOCUMENTS[url]) {
    return found(DOCUMENTS[url]);
  }
  if(lists[url]) {
    return found(lists[url]);
  }
  const [did, fragment] = url.split('#');
  if(!did.startsWith('did:key:z')) {
    throw new Error(`nothing is at ${url}`);
  }
  const key = did.slice('did:key:'.length);
  const id = `${did}#${key}`;
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1',
    id, type: 'Multikey', controller: did, publicKeyMultibase: key,
  };
  if(fragment) {
    return found(method);
  }
  return found({
    '@context': ['https://www.w3.org/ns/did/v1'], id: did, verificationMethod: [method], assertionMethod: [id],
  });
};

function why(error) {
  const errors = error?.errors ?? [error];
  return errors.map(each => each?.message ?? String(each)).join('; ') || 'refused';
}

// The credential and those inside it.
function all(credential) {
  return [credential, ...[credential.credentialSubject?.verifiableCredential ?? []].flat()];
}

// True if it holds for all, or why not for the first where it does not.
async function each(credential, check) {
  for(const one of all(credential)) {
    const verdict = await attempt(() => check(one));
    if(verdict !== true) {
      return verdict;
    }
  }
  return true;
}

async function rdfc(credential, now) {
  const result = await vc.verifyCredential({
    credential,
    suite: [new DataIntegrityProof({cryptosuite})],
    documentLoader: loader({}),
    now: now ? new Date(now) : new Date(),
    // Looked at by the cases that ask for it.
    checkStatus: async () => ({verified: true}),
  });
  return result.verified || why(result.error);
}

// vc-di-eddsa §3.3, in the words of the standard.
function jcs(credential) {
  const {proof: proofs, ...unsecured} = credential;
  const proof = [proofs].flat().find(each => each?.cryptosuite === 'eddsa-jcs-2022');
  if(!proof || proof.type !== 'DataIntegrityProof' || proof.proofPurpose !== 'assertionMethod') {
    return 'no proof';
  }
  const {proofValue, ...options} = proof;
  const issuer = unsecured.issuer?.id ?? unsecured.issuer;
  const key = issuer.slice('did:key:'.length);
  if(proof.verificationMethod !== `${issuer}#${key}`) {
    return 'another key';
  }
  const context = [].concat(unsecured['@context']);
  if(!options['@context'].every((each, i) => context[i] === each)) {
    return 'another context';
  }
  unsecured['@context'] = options['@context'];
  const hash = text => createHash('sha256').update(text, 'utf8').digest();
  const signed = Buffer.concat([hash(canonicalize(options)), hash(canonicalize(unsecured))]);
  const x = base58(key.slice(1)).subarray(2).toString('base64url');
  const publicKey = createPublicKey({key: {kty: 'OKP', crv: 'Ed25519', x}, format: 'jwk'});
  return verifySignature(null, signed, publicKey, base58(proofValue.slice(1))) || 'signature mismatch';
}

function base58(text) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let number = 0n;
  for(const digit of text) {
    const value = alphabet.indexOf(digit);
    if(value < 0) {
      throw new Error('not base58');
    }
    number = number * 58n + BigInt(value);
  }
  const hex = number.toString(16);
  const leading = text.length - text.replace(/^1+/, '').length;
  return Buffer.concat([Buffer.alloc(leading), Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')]);
}

async function status({credential, list}) {
  const result = await checkStatus({
    credential,
    documentLoader: loader({[list.id]: list}),
    suite: [new DataIntegrityProof({cryptosuite})],
    verifyBitstringStatusListCredential: true,
    verifyMatchingIssuers: true,
  });
  if(!result.verified) {
    return why(result.error);
  }
  // "verified" says that the list holds; whether the credential does is the bit.
  return result.results.every(({status}) => status === false) || 'the bit is set';
}

async function nquads({credential}) {
  const {proof: _, ...unsecured} = credential;
  return jsonld.canonize(unsecured, {
    algorithm: 'RDFC-1.0', format: 'application/n-quads', safe: true, documentLoader: loader({}),
  });
}

async function attempt(work) {
  try {
    return await work();
  } catch(error) {
    return why(error);
  }
}

for await (const line of createInterface({input: process.stdin})) {
  const asked = JSON.parse(line);
  const {name} = asked;
  const verdict = await {
    verify: async () => ({
      rdfc: await each(asked.credential, one => rdfc(one, asked.now)),
      jcs: await each(asked.credential, jcs),
    }),
    status: async () => ({status: await attempt(() => status(asked))}),
    nquads: async () => ({nquads: await attempt(() => nquads(asked))}),
    jcs: async () => ({jcs: canonicalize(asked.credential)}),
  }[asked.what]();
  process.stdout.write(`${JSON.stringify({name, ...verdict})}\n`);
}
