/**
 * `upload:<file id>`: how far a photo's file is, for its owner and holders of `photo.*`. The state on the bus makes it dirty.
 */
import { getOwnFile } from '../../core/photo-files/files.ts'
import { currentStates, type PhotoUploadState, photoUploadTopic } from '../../core/photo-files/states.ts'
import { seesWhole } from '../../core/photo-index/visibility.ts'
import { type PhotoUploadUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { presentFileId } from '../events/photos.ts'
import { readByKey, sharedText, type TopicKind } from './topic.ts'

const presentUpload = ({ status, step, bytes, total, percent }: PhotoUploadState): PhotoUploadUpdateData => ({
  status: status === 'receiving' ? 'uploading' : status,
  step,
  bytes,
  total,
  percent,
})

const readCurrent = readByKey(currentStates, photoUploadTopic, Number)
const textOf = sharedText(presentUpload)

export const photoUploadKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.photoUpload),
  async open({ ctx, who, name, id: fileId }) {
    const { id, userId } = await getOwnFile(ctx, who, Number(fileId))
    const prefix = `{"type":"upload_update","key":"${name}","file_id":"${presentFileId(id)}","data":`
    return {
      name,
      key: photoUploadTopic(id),
      permits: (who) => seesWhole(who, { userId }),
      readCurrent,
      render: (value) => `${prefix}${textOf(value)}}`,
    }
  },
}
