import { setDefaultTimeout } from 'bun:test'

// A cold embedded database takes seconds; no test should fail for that.
setDefaultTimeout(20_000)
