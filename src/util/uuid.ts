/** What the database takes for a UUID of ours; it refuses to compare one with anything else. */
export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
