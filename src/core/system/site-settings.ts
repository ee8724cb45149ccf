import type { Context } from '../context.ts'

/** What the site's administrators decide about photos. */
export interface SiteSettings {
  upload: {
    /** Bytes. */
    maxFileSize: number
    maxFilesPerBatch: number
    /** Whether a new photo is published unless its owner says otherwise; it is a draft otherwise. */
    autoPublish: boolean
    /** Whether everybody sees where a photo was taken, when its file says so and its owner does not. */
    publishLocation: boolean
  }
  image: {
    /** 1 to 100. */
    qualityJpg: number
    qualityWebp: number
    /** Of the display renditions, in pixels. */
    maxWidth: number
    maxHeight: number
  }
  display: {
    /** The longer side of the medium thumbnail, in pixels; the small one has half of it, the large one twice as much. */
    thumbnailSize: number
  }
}

const DEFAULTS: SiteSettings = {
  upload: { maxFileSize: 52_428_800, maxFilesPerBatch: 50, autoPublish: false, publishLocation: false },
  image: { qualityJpg: 85, qualityWebp: 80, maxWidth: 1920, maxHeight: 1080 },
  display: { thumbnailSize: 300 },
}

/** docs/contracts/portfolio.md, "Settings". */
export const siteSettings = async (_: Context): Promise<SiteSettings> => DEFAULTS
