import { hostname } from 'node:os'

/** The name of this server in the log: host name and process id. */
export const serverName = (): string => `${hostname()}:${process.pid}`
