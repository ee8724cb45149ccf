/** `upload:<material id>`: how far an upload is, for the user who uploads. The state on the bus makes it dirty. */
import { mayManage } from '../../core/materials/access.ts'
import { currentUploads, ownMaterial, type UploadState, uploadTopic } from '../../core/materials/uploads.ts'
import { TOPIC_PATTERNS, type UploadUpdateData } from '../../protocol/live/topics.ts'
import { readByKey, sharedText, type TopicKind } from './topic.ts'

const presentUpload = ({ status, bytes, total, percent }: UploadState): UploadUpdateData => ({
  status,
  bytes,
  total,
  percent,
})

const readCurrent = readByKey(currentUploads, uploadTopic, Number)
const textOf = sharedText(presentUpload)

export const uploadKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.upload),
  async open({ ctx, who, name, id: materialId }) {
    const { id, userId } = await ownMaterial(ctx, who, Number(materialId))
    const prefix = `{"type":"upload_update","key":"${name}","material_id":${id},"data":`
    return {
      name,
      key: uploadTopic(id),
      permits: (who) => mayManage(who, { userId }),
      readCurrent,
      render: (value) => `${prefix}${textOf(value)}}`,
    }
  },
}
