/** The languages in which the server writes to people. */
export type Language = 'zh' | 'en'
