/** Frames and events of servers that differ from the protocol (`conformance.ts`); apart, so that every test file loads little. */
export const protocolMisfits: string[] = []

/** The misfits since the last call. */
export const takeMisfits = (): string[] => protocolMisfits.splice(0)
