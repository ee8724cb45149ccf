/** For a cleanup that also deletes objects stored a moment ago: it leaves what is as new as its limit. */
export const ORPHANS_OF_ANY_AGE = { processing: false, orphans: true, maxAgeMinutes: -1 }
