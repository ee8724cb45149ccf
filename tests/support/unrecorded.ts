/** The routes that change something and leave no entry in the audit log, by operation, with the reason for each. */
const PRIVATE = "a user's own private thing, which needs no permission"
const UPLOADING = 'an upload is recorded when it is complete'
const SAME_SESSION = 'new tokens of a session whose beginning is recorded; a misused token is recorded'

export const UNRECORDED: Record<string, string> = {
  learningRefresh: SAME_SESSION,
  runtimeRefreshSession: SAME_SESSION,
  portfolioRefresh: SAME_SESSION,
  learningUploadMaterial: PRIVATE,
  learningLikeMaterial: PRIVATE,
  runtimeCreateScheduleItem: PRIVATE,
  runtimeUpdateScheduleItem: PRIVATE,
  runtimeDeleteScheduleItem: PRIVATE,
  runtimeCreateAgentChat: PRIVATE,
  runtimeCancelAgentChat: PRIVATE,
  runtimeRunAgent: PRIVATE,
  serverMcp: 'what a tool changes records it',
  serverDeleteMcp: PRIVATE,
  factoryCreateTask: PRIVATE,
  factoryRedeemRechargeCode: 'the redemption and the ledger record it',
  runtimeSearchUsers: 'it only reads',
  factoryCreateTicket:
    'a ticket opens a socket of a session whose beginning is recorded, and every page asks for one',
  factoryReportGpuServer: 'the figures of a node, several times a minute',
  portfolioInitChunkedUpload: UPLOADING,
  portfolioPutChunk: UPLOADING,
  portfolioAbortChunkedUpload: UPLOADING,
  portfolioBeginResumableUpload: UPLOADING,
  portfolioAbortResumableUpload: UPLOADING,
}
