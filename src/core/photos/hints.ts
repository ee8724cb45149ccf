import { defineHint } from '../../bus/bus.ts'

/** What photos have in the database after a server has stored their views. */
export const viewsStoredHint = defineHint<{ id: number; views: number }[]>('photo_views_stored')
