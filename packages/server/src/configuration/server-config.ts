import type { ReplicaConfig } from '@meerkat/engine';

/** Everything that zoo.cfg or the arguments say, checked and in units. */
export interface ServerConfig {
  /** The file it was read from; null when it came from arguments. */
  readonly file: string | null;
  readonly listener: ClientPortConfig;
  readonly words: FourLetterWordsConfig;
  readonly peers: PeerPortsConfig;
  readonly replica: ReplicaConfig;
}

/** The client port and who may come in. */
export interface ClientPortConfig {
  /** `clientPortAddress`; null is every address of the machine. */
  readonly host: string | null;
  /** `clientPort`; 0 lets the system choose. */
  readonly port: number;
  /** `clientPortListenBacklog`; -1 leaves it to us. */
  readonly backlog: number;
  /** Connections from one address, `maxClientCnxns`; 0 is no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all, `maxCnxns`; 0 is no limit but that of the system. */
  readonly maxCnxns: number;
  /** How long a connection may go without a whole handshake, ms. `nio.sessionlessCnxnTimeout`. */
  readonly handshakeMs: number;
  /** `clientTcpKeepAlive`. */
  readonly tcpKeepAlive: boolean;
}

/** Which four-letter words are answered. */
export interface FourLetterWordsConfig {
  /** As written in `4lw.commands.whitelist`: words with commas between them, `*` for all. */
  readonly whitelist: string;
}

/** The ports for the other members of an ensemble. */
export interface PeerPortsConfig {
  /** Whether the system probes silent streams. `tcpKeepAlive`. */
  readonly keepAlive: boolean;
}

/** What was noticed while reading the configuration; none of it stops the server. */
export interface ConfigurationRemark {
  readonly level: 'info' | 'warn';
  readonly message: string;
}
