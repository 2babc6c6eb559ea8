/**
 * The client's core without promises: a session that takes requests as objects and answers them within the event
 * that brings the answer. For whoever drives it under virtual time; applications use `connect`.
 */
export type { SessionTicket } from './handshake.ts';
export { type ClientOptions, settingsOf } from './options.ts';
export type { PendingRequest } from './request.ts';
export { Session } from './session.ts';
export type { SessionSettings } from './session-settings.ts';
export type { Watcher, WatchKind, WatchPaths } from './watches.ts';
