import { defineErrors, defineTexts } from '../errors/define.ts'

export const FILE_ERRORS = defineErrors({
  FILE_TOO_LARGE: {
    kind: 'too_large',
    zh: '文件过大（上限 {limitMb} MB）',
    en: 'The file is larger than {limitMb} MB',
  },
  UPLOAD_FAILED: {
    kind: 'failed',
    zh: '文件保存失败，请重试',
    en: 'The file could not be stored; try again',
  },
  DIGEST_MISMATCH: {
    kind: 'invalid',
    zh: '收到的内容与校验和不符，请重新上传',
    en: 'The content that arrived does not have the digest that was sent; upload it again',
  },
  CHUNK_OUT_OF_RANGE: {
    kind: 'invalid',
    zh: '该上传只有 {totalChunks} 个分块，编号从 0 开始',
    en: 'The upload has {totalChunks} {totalChunks|chunk|chunks}, with numbers from 0 on',
  },
  CHUNK_SIZE_MISMATCH: {
    kind: 'invalid',
    zh: '该分块应为 {expectedSize} 字节',
    en: 'This chunk must have exactly {expectedSize} {expectedSize|byte|bytes}',
  },
  CHUNKS_MISSING: {
    kind: 'invalid',
    zh: '尚有 {count} 个分块未上传',
    en: 'Chunks are still missing: {count}',
  },
  TOO_MANY_CHUNKS: {
    kind: 'invalid',
    zh: '分块数不能超过 {limit}，请增大 chunk_size',
    en: 'The file would have more than {limit} {limit|chunk|chunks}; choose a larger chunk_size',
  },
  UPLOAD_COMPLETED: {
    kind: 'invalid_state',
    zh: '上传已经完成，不能再更改',
    en: 'The upload is complete and cannot be changed any more',
  },
  UPLOAD_COMPLETING: {
    kind: 'invalid_state',
    zh: '正在合并上传的内容，请稍后重试',
    en: 'The parts of the upload are being put together; try again soon',
  },
  MISMATCHING_UPLOAD_OFFSET: {
    kind: 'conflict',
    zh: '上传应从第 {expectedOffset} 字节继续，而不是第 {providedOffset} 字节',
    en: 'The upload goes on at byte {expectedOffset}, not at byte {providedOffset}',
  },
  INCONSISTENT_UPLOAD_LENGTH: {
    kind: 'invalid',
    zh: '上传的长度与之前说明的不一致',
    en: 'The length of the upload is not the one that was announced',
  },
  UPLOAD_INTERRUPTED: {
    kind: 'conflict',
    zh: '另一个请求接管了该上传',
    en: 'Another request has taken over this upload',
  },
  TOO_MANY_PIECES: {
    kind: 'invalid',
    zh: '上传被分成了超过 {limit} 段，请取消后以更大的分段重新上传',
    en: 'The upload has come in more than {limit} parts; abort it and start again with larger ones',
  },
  TOO_MANY_UNFINISHED_UPLOADS: {
    kind: 'limited',
    zh: '未完成的上传不能超过 {limit} 个，请先完成或取消其中一个',
    en: 'You can have at most {limit} unfinished uploads; complete or abort one of them',
  },
  TOO_MANY_PIECES_AT_ONCE: {
    kind: 'limited',
    zh: '同时上传的分块不能超过 {limit} 个，请等待其中一个完成',
    en: 'You can send at most {limit} {limit|chunk|chunks} at the same time; wait until one of them is stored',
  },
  UPLOAD_TOO_SLOW: {
    kind: 'timeout',
    zh: '上传速度过慢，已停止，请在网络恢复后重试',
    en: 'The upload was too slow and was stopped; try again on a better connection',
  },
  TOO_MANY_FILES: {
    kind: 'too_large',
    zh: '一次最多上传 {limit} 个文件',
    en: 'One request takes at most {limit} {limit|file|files}',
  },
  TOO_MANY_UPLOADS: {
    kind: 'limited',
    zh: '同时上传的文件不能超过 {limit} 个，请等待其中一个完成',
    en: 'You can upload at most {limit} {limit|file|files} at the same time; wait until one of them is complete',
  },
})

export const FILE_RULES = defineTexts({
  one_file: { zh: '请只上传一个文件', en: 'takes exactly one file' },
  file_field: { zh: '请把文件放在此字段中', en: 'is the field for files' },
  digests_differ: {
    zh: '与同一请求中的另一个校验和不同',
    en: 'differs from another digest in the same request',
  },
  empty_file: { zh: '文件是空的', en: 'is empty' },
})
