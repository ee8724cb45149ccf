import { defineHint } from '../../bus/bus.ts'

/** Photos, or the categories or tags of photos, have changed: what a server has counted may be wrong now. */
export const photosChangedHint = defineHint<Record<string, never>>('photos_changed')

/** Categories or tags themselves have changed: what photos show of them may be wrong now. */
export const namesChangedHint = defineHint<Record<string, never>>('photo_names_changed')
