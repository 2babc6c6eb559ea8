import { ValueError } from '../configuration-error.ts';
import {
  type ConfigurationKey,
  honoured,
  later,
  refused,
  withoutEffect,
} from '../configuration-key.ts';
import { text, trueOrFalse } from '../readers.ts';

const tls = 'TLS';
const sasl = 'SASL';

/** Java's classes of the schemes that exist here anyway. */
const builtInProviders: readonly string[] = [
  'org.apache.zookeeper.server.auth.DigestAuthenticationProvider',
  'org.apache.zookeeper.server.auth.IPAuthenticationProvider',
];

/** Who clients are, and what is secret on the way. */
export const securityKeys: readonly ConfigurationKey[] = [
  honoured(
    'DigestAuthenticationProvider.enabled',
    trueOrFalse,
    'true',
    'whether the digest scheme exists',
    (draft, value) => {
      draft.server.replica.digestAuth.enabled = value;
    },
  ),
  honoured(
    'DigestAuthenticationProvider.digestAlg',
    text,
    'SHA1',
    "Java's name of the hash",
    (draft, value) => {
      draft.server.replica.digestAuth.algorithm = value;
    },
  ),
  honoured(
    'DigestAuthenticationProvider.superDigest',
    text,
    null,
    'who may do anything: `super:<base64 of the hash>`',
    (draft, value) => {
      draft.server.replica.digestAuth.superDigest = value;
    },
  ),
  authProviderKey(),
  refused('secureClientPort', tls),
  refused('secureClientPortAddress', tls),
  refused('client.portUnification', tls, ['false']),
  refused('ssl.*', tls),
  refused('sslQuorum', 'TLS between servers', ['false']),
  refused('ssl.quorum.*', 'TLS between servers'),
  refused('portUnification', 'TLS between servers', ['false']),
  refused('sslQuorumReloadCertFiles', 'TLS between servers', ['false']),
  refused('quorum.auth.enableSasl', 'SASL between servers', ['false']),
  refused('quorum.auth.serverRequireSasl', 'SASL between servers', ['false']),
  refused('quorum.auth.learnerRequireSasl', 'SASL between servers', ['false']),
  refused('enforce.auth.enabled', 'mandatory authentication', ['false']),
  refused('sessionRequireClientSASLAuth', 'mandatory authentication', ['false']),
  refused('ensembleAuthName', 'the check of the ensemble name'),
  refused('java.security.auth.login.config', sasl),
  refused('requireClientAuthScheme', sasl, ['']),
  ...later('mandatory authentication; without enforce.auth.enabled it does nothing', {
    'enforce.auth.schemes': null,
  }),
  ...later('SASL between servers; without quorum.auth.enableSasl it does nothing', {
    'quorum.auth.server.saslLoginContext': 'QuorumServer',
    'quorum.auth.learner.saslLoginContext': 'QuorumLearner',
    'quorum.auth.kerberos.servicePrincipal': 'zkquorum/localhost',
    'quorum.cnxn.threads.size': '20',
  }),
  ...later('SASL and X.509; nobody gains anything by it', {
    superUser: null,
    'superUser.*': null,
    'X509AuthenticationProvider.superUser': null,
    'SASLAuthenticationProvider.superPassword': null,
    letAnySaslUserDoX: null,
    allowSaslFailedClients: 'false',
    'sasl.serverconfig': 'Server',
    'kerberos.removeHostFromPrincipal': 'false',
    'kerberos.removeRealmFromPrincipal': 'false',
    'kerberos.canonicalizeHostNames': 'false',
    'kerberos.minReLoginTimeMs': '60000',
    'security.auth_to_local': null,
    requireKerberosConfig: null,
    jaasLoginRenew: null,
    'fips-mode': 'true',
    'client.certReload': 'false',
    'com.sun.net.ssl.checkRevocation': 'false',
  }),
  ...later('the admin server, which alone looks at forwarded addresses', {
    'IPAuthenticationProvider.usexforwardedfor': 'false',
  }),
  ...withoutEffect('a key of clients, not of servers', {
    'sasl.client': 'true',
    'sasl.client.*': null,
    'sasl.clientconfig': 'Client',
    'server.realm': null,
    'server.principal': null,
    kinit: '/usr/bin/kinit',
  }),
];

/** Providers that exist here anyway are welcome; any other one would be missed. */
function authProviderKey(): ConfigurationKey {
  return {
    name: 'authProvider.*',
    effect: 'refused',
    type: 'class',
    default: null,
    about: 'providers other than digest and ip',
    apply(_draft, value) {
      if (builtInProviders.includes(value)) return;
      throw new ValueError(
        'names a class that Meerkat does not have: znodes guarded by its scheme could not be reached; take the key out if there are none',
      );
    },
  };
}
