import { savedFileName, shownFileName } from '../../util/file-names.ts'

/** For a file without a name. */
const NAMELESS = 'photo'

/** The name that the client gave the file, as people may see it. */
export const photoName = (name: string): string => shownFileName(name, NAMELESS)

/** @param extension of the detected format */
export const savedPhotoName = (name: string, extension: string): string =>
  savedFileName(name, extension, NAMELESS)
