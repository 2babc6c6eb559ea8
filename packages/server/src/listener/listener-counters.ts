/** Why a connection was turned away at the door, and how often. */
export interface ListenerCounters {
  /** More from one address than `maxClientCnxns`. */
  tooManyOfAddress: number;
  /** More in all than `maxCnxns`. */
  tooManyInAll: number;
  /** Fewer free descriptors than the server keeps for itself. */
  outOfDescriptors: number;
  /** Connections that the system refused to hand over. */
  acceptErrors: number;
  /** Closed because no whole handshake came in time (`sessionless_connections_expired`). */
  handshakesMissed: number;
}
