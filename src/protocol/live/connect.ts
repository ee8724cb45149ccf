/** The query of `GET /ws/connect` besides the credentials, for the documentation. */
export const CONNECT_QUERY = {
  cursor:
    'Where to go on: the cursor of the last event that the client has. Without it the socket begins now.',
  topics: 'Topics to subscribe to at once, with commas between.',
  language: 'Of the texts in events: en or zh. Browsers cannot set Accept-Language on an upgrade.',
  agent_seq: 'For an agent topic in topics: the number of the last frame that the client has.',
  log_position: 'For a task topic in topics: the position of the last line of the log that the client has.',
} as const
